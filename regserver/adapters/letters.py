"""Mails from templates: one text and one HTML file for each letter and language, which an operator may override.

A text template starts with its `Subject:` line and an empty line. A folder of the operator's is looked into first,
file by file, so overriding one text leaves the rest alone. `check` renders everything once with sample values, so
that a mistake in a template shows at start-up and not at somebody's sign-up.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import jinja2

from regserver.domain.directory import Language
from regserver.domain.instant import Instant
from regserver.ports.mail_template import MailTemplateName, MailTemplates
from regserver.ports.mailer import Mail

SAMPLE = {"username": "Ada", "link": "https://example.org/confirm?lang=en#sample", "hours": "24"}


class LetterFault(Exception):
    """A template cannot be used; the message names the file and the mistake."""


class TemplateLetters(MailTemplates):
    """folder: the operator's own templates, or None. name: how the service calls itself in the letters."""

    def __init__(self, folder: Path | None, name: str) -> None:
        own = [] if folder is None else [jinja2.FileSystemLoader(folder)]
        loader = jinja2.ChoiceLoader([*own, jinja2.PackageLoader("regserver.adapters", "letter")])
        self._folder = folder
        self._name = name
        self._templates = jinja2.Environment(
            loader=loader,
            undefined=jinja2.StrictUndefined,
            autoescape=jinja2.select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(
        self,
        letter: MailTemplateName,
        language: str,
        to: str,
        values: Mapping[str, str],
        good_until: Instant | None = None,
    ) -> Mail:
        known = {**values, "service": self._name}
        text = self._templates.get_template(f"{letter}.{language}.txt").render(known)
        html = self._templates.get_template(f"{letter}.{language}.html").render(known)
        head, _, body = text.partition("\n\n")
        subject = " ".join(head.removeprefix("Subject:").split())  # one line, whatever a template puts there
        return Mail(to=to, subject=subject, text=body.strip() + "\n", html=html, good_until=good_until)

    def check(self) -> None:
        """Renders every letter. Raises LetterFault."""
        if self._folder is not None and not self._folder.is_dir():
            raise LetterFault(f"{self._folder}: not a folder")
        for letter in get_args(MailTemplateName):
            for language in get_args(Language):
                self._check(letter, language)

    def _check(self, letter: MailTemplateName, language: str) -> None:
        place = f"{letter}.{language}.txt"
        try:
            source = self._templates.get_template(place).render({**SAMPLE, "service": self._name})
            if not source.startswith("Subject:") or "\n\n" not in source:
                raise LetterFault(f'{place}: expected "Subject: …" on the first line, then an empty line')
            place = f"{letter}.{language}.html"
            page = self._templates.get_template(place).render({**SAMPLE, "service": self._name})
        except jinja2.TemplateSyntaxError as error:
            raise LetterFault(f"{error.filename or place}, line {error.lineno}: {error.message}") from None
        except jinja2.TemplateError as error:
            raise LetterFault(f"{place}: {error}") from None
        if letter == "confirm" and not (SAMPLE["link"] in source and SAMPLE["link"] in page):
            raise LetterFault(f"confirm.{language}: the letter must contain {{{{ link }}}}, in text and HTML")
