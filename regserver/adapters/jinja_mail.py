"""Mails from the catalogues' texts, or from an operator's own Jinja templates.

The catalogue has plain text; text and HTML of a built-in mail are made from it here. A file `NAME.LANGUAGE.txt` or `.html`
in the folder `mail.templates` replaces either; a text starts with its `Subject:` line and an empty line. All files of
such a folder are read and rendered with sample values at start, so that a mistake shows then and not at a sign-up.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path

import jinja2

from regserver.domain.instant import Instant
from regserver.ports.mail_template import MailTemplateFault, MailTemplateName, MailTemplates
from regserver.ports.mailer import Mail
from regserver.text import CATALOGUES, LANGUAGES, Language

LAYOUT = "mail.html"
COLOUR = "#0f6b66"
"""Of links and buttons, as on the pages."""
SAMPLES: Mapping[MailTemplateName, Mapping[str, str]] = {
    "confirm": {
        "link": "https://example.org/confirm?lang=en#sample",
        "username": "Ada",
        "code": "sample",
        "hours": "24",
    },
    "email_taken": {},
    "name_taken": {"username": "Ada"},
    "code": {"code": "314159", "minutes": "10"},
    "sign_in_code": {"username": "Ada", "code": "314159", "minutes": "10"},
    "guessed": {"username": "Ada", "failures": "100"},
    "verify": {
        "link": "https://example.org/verify?lang=en#sample",
        "username": "Ada",
        "code": "regl_sample",
        "hours": "24",
    },
    "recover": {
        "link": "https://example.org/recover?lang=en#sample",
        "username": "Ada",
        "code": "regl_sample",
        "minutes": "60",
    },
    "password_changed": {"username": "Ada"},
    "change_email": {
        "link": "https://example.org/verify?lang=en#sample",
        "username": "Ada",
        "code": "regl_sample",
        "hours": "24",
    },
    "email_in_use": {},
    "email_changed": {
        "link": "https://example.org/undo?lang=en#sample",
        "username": "Ada",
        "address": "a***@e***.org",
        "code": "regl_sample",
        "days": "7",
    },
    "email_restored": {
        "link": "https://example.org/recover?lang=en#sample",
        "username": "Ada",
        "code": "regl_sample",
        "minutes": "60",
    },
    "email_restored_source": {"username": "Ada"},
    "approve": {
        "link": "https://example.org/approve?lang=en#sample",
        "username": "Ada",
        "contact": "ada@example.org",
        "door": "rooms",
        "waiting": "3",
        "code": "regl_sample",
    },
    "approved": {"username": "Ada"},
    "totp_on": {"username": "Ada"},
    "totp_off": {"username": "Ada"},
    "passkey_added": {"username": "Ada"},
    "passkey_removed": {"username": "Ada"},
    "passkey_copied": {"username": "Ada"},
}
"""Sample values of each mail; `service`, `colour` and `language` are added."""
REQUIRED: Mapping[MailTemplateName, str] = {
    "confirm": "link",
    "code": "code",
    "sign_in_code": "code",
    "verify": "link",
    "recover": "link",
    "change_email": "link",
    "email_changed": "link",
    "email_restored": "link",
    "approve": "link",
}
"""The value that a mail must contain."""
STRONG = ("username", "code")
"""Values that are bold in HTML."""


class JinjaMailTemplates(MailTemplates):
    """look: the service's name in mails, and its colour. layout: of the built-in HTML. own: the operator's templates by file name."""

    def __init__(
        self, look: Mapping[str, str], layout: jinja2.Template, own: Mapping[str, jinja2.Template]
    ) -> None:
        self._look = look
        self._layout = layout
        self._own = own

    def write(
        self,
        name: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        """See MailTemplates. Readers of a language without a catalogue get English."""
        spoken = next((known for known in LANGUAGES if known == language), LANGUAGES[0])
        given = {**values, **self._look, "language": spoken}
        subject, text = self._text(name, spoken, given)
        html = self._html(name, spoken, given)
        return Mail(to=to, subject=subject, text=text, html=html, good_until=good_until)

    def _text(self, name: MailTemplateName, language: Language, values: Mapping[str, str]) -> tuple[str, str]:
        own = self._own.get(f"{name}.{language}.txt")
        if own is None:
            words = CATALOGUES[language].mail.template[name]
            return words.subject.format(**values), words.text.format(**values)
        head, _, body = own.render(values).partition("\n\n")
        return " ".join(head.removeprefix("Subject:").split()), body.strip() + "\n"  # it may be wrapped

    def _html(self, name: MailTemplateName, language: Language, values: Mapping[str, str]) -> str:
        own = self._own.get(f"{name}.{language}.html")
        if own is not None:
            return own.render(values)
        mail = CATALOGUES[language].mail
        words = mail.template[name]
        escaped = {key: escape(value) for key, value in values.items()}
        escaped |= {key: f"<strong>{escaped[key]}</strong>" for key in STRONG if key in escaped}
        paragraphs = [
            None if paragraph == "{link}" else escape(paragraph).format(**escaped)
            for paragraph in words.text.strip().split("\n\n")
        ]
        return self._layout.render(
            values, paragraphs=paragraphs, button=words.button, copy_link=mail.copy_link
        )


def load_mail_templates(folder: Path | None, service: str, colour: str = "") -> JinjaMailTemplates:
    """Reads and tests all templates. folder: of the operator's templates, or None. Raises MailTemplateFault.

    service: the service's name. colour: of the buttons; "" for ours.
    """
    if folder is not None and not folder.is_dir():
        raise MailTemplateFault(f"{folder}: not a folder")
    own_files = [] if folder is None else [jinja2.FileSystemLoader(folder)]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([*own_files, jinja2.PackageLoader("regserver.adapters", "mail_layout")]),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html"]),
        auto_reload=False,  # a later change of a file would be untested
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own = {
        file: _try_out(environment, name, file)
        for name in SAMPLES
        for language in LANGUAGES
        for file in (f"{name}.{language}.txt", f"{name}.{language}.html")
        if folder is not None and (folder / file).is_file()
    }
    with _faults_of(LAYOUT):  # it may extend the operator's layout.html
        look = {"service": service, "colour": colour or COLOUR}
        templates = JinjaMailTemplates(look, environment.get_template(LAYOUT), own)
        if folder is not None:
            for name, sample in SAMPLES.items():
                for language in LANGUAGES:
                    templates.write(name, language, "", sample)
    return templates


def _try_out(environment: jinja2.Environment, name: MailTemplateName, file: str) -> jinja2.Template:
    """The template of an operator's file, rendered once to find its mistakes."""
    sample = SAMPLES[name]
    with _faults_of(file):
        template = environment.get_template(file)
        rendered = template.render(sample, service="example.org", colour=COLOUR, language=LANGUAGES[0])
    if file.endswith(".txt") and not (rendered.startswith("Subject:") and "\n\n" in rendered):
        raise MailTemplateFault(f'{file}: expected "Subject: …" on the first line, then an empty line')
    required = REQUIRED.get(name)
    if required is not None and sample[required] not in rendered:
        raise MailTemplateFault(f"{file}: the mail must contain {{{{ {required} }}}}")
    return template


@contextmanager
def _faults_of(file: str) -> Iterator[None]:
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise MailTemplateFault(f"{error.filename or file}, line {error.lineno}: {error.message}") from None
    except jinja2.TemplateError as error:
        raise MailTemplateFault(f"{file}: {error}") from None
