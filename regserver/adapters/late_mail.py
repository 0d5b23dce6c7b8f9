"""Mails from the built-in templates, whose library, Jinja, comes with the first mail; an operator's own are tested at the start."""

from collections.abc import Mapping
from pathlib import Path

from regserver.domain.instant import Instant
from regserver.ports.mail_template import MailTemplateName, MailTemplates
from regserver.ports.mailer import Mail


class LateMailTemplates(MailTemplates):
    """The built-in ones. service: its name in mails. colour: see load_mail_templates."""

    def __init__(self, service: str, colour: str) -> None:
        self._look = service, colour
        self._loaded: MailTemplates | None = None

    def write(
        self,
        name: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """See MailTemplates."""
        if self._loaded is None:
            self._loaded = _load(None, *self._look)
        return self._loaded.write(name, language, to, values, good_until)


def find_mail_templates(folder: Path | None, service: str, colour: str) -> MailTemplates:
    """As load_mail_templates, which reads the built-in ones when they are first needed. Raises MailTemplateFault."""
    return LateMailTemplates(service, colour) if folder is None else _load(folder, service, colour)


def _load(folder: Path | None, service: str, colour: str) -> MailTemplates:
    from regserver.adapters.jinja_mail import load_mail_templates  # 2 MiB, 60 ms

    return load_mail_templates(folder, service, colour)
