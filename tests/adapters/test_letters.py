"""MailTemplates from templates: every kind in every language, and an operator's own."""

from pathlib import Path
from typing import get_args

import pytest

from regserver.adapters.letters import LetterFault, TemplateLetters
from regserver.domain.directory import Language
from regserver.domain.instant import Instant
from regserver.ports.mail_template import MailTemplateName

VALUES = {"username": "Ada", "link": "https://example.org/confirm?lang=fr&x=1#secret", "hours": "24"}


@pytest.mark.parametrize("letter", get_args(MailTemplateName))
@pytest.mark.parametrize("language", get_args(Language))
def test_every_letter_in_every_language(letter: MailTemplateName, language: Language) -> None:
    mail = TemplateLetters(None, "example.org").write(letter, language, "ada@example.org", VALUES, Instant(5))
    assert (mail.to, mail.good_until) == ("ada@example.org", 5)
    assert "example.org" in mail.subject
    assert mail.html is not None
    assert f'<html lang="{language}">' in mail.html
    assert "{{" not in mail.subject + mail.text + mail.html
    assert all(len(line) <= 130 for line in mail.text.splitlines())


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    values = {**VALUES, "username": "<b>&"}
    mail = TemplateLetters(None, "example.org").write("confirm", "en", "ada@example.org", values)
    assert mail.html is not None
    assert "<b>&" in mail.text
    assert "<b>&" not in mail.html
    assert "&lt;b&gt;&amp;" in mail.html
    assert VALUES["link"] in mail.text
    assert VALUES["link"].replace("&", "&amp;") in mail.html


def test_the_built_in_letters_are_sound() -> None:
    TemplateLetters(None, "example.org").check()


def test_an_operator_overrides_one_file_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "confirm.en.txt").write_text("Subject: Welcome\n  to us\n\nHere: {{ link }}\n")
    letters = TemplateLetters(tmp_path, "example.org")
    letters.check()
    mail = letters.write("confirm", "en", "ada@example.org", VALUES)
    assert (mail.subject, mail.text) == ("Welcome to us", f"Here: {VALUES['link']}\n")
    assert "Bonjour" in letters.write("confirm", "fr", "ada@example.org", VALUES).text


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("confirm.en.txt", "Hello {{ link }}", "Subject"),
        ("confirm.en.txt", "Subject: x\n\nHello", "must contain {{ link }}"),
        ("confirm.fr.html", "<p>Bonjour</p>", "must contain {{ link }}"),
        ("confirm.en.txt", "Subject: x\n\n{{ lnik }}", "lnik"),
        ("name_taken.ru.html", "{% if %}", "line 1"),
    ],
)
def test_mistakes_in_templates_are_named(tmp_path: Path, file: str, text: str, words: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(LetterFault) as caught:
        TemplateLetters(tmp_path, "example.org").check()
    assert words in str(caught.value)
    assert file.rpartition(".")[0] in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LetterFault, match="not a folder"):
        TemplateLetters(tmp_path / "nowhere", "example.org").check()
