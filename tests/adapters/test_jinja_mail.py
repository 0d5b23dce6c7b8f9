"""Mails: every kind in every language, and an operator's own templates."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from regserver.adapters.jinja_mail import SAMPLES, load_mail_templates
from regserver.adapters.mime import build_message
from regserver.domain.instant import Instant
from regserver.ports.mail_template import MailTemplateFault, MailTemplateName
from regserver.text import CATALOGUES, LANGUAGES, Language

VALUES = {
    "username": "Ada",
    "link": "https://example.org/confirm?lang=fr&x=1#secret",
    "code": "secret",
    "hours": "24",
}
MAILS = load_mail_templates(None, "example.org")


@pytest.mark.parametrize("name", get_args(MailTemplateName))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_in_every_language(name: MailTemplateName, language: Language) -> None:
    mail = MAILS.write(name, language, "ada@example.org", SAMPLES[name], Instant(5))
    assert (mail.to, mail.good_until) == ("ada@example.org", 5)
    assert mail.html is not None
    assert f'<html lang="{language}">' in mail.html
    for value in SAMPLES[name].values():
        assert value in mail.text
        assert value in mail.html
    assert not set("{}") & set(mail.subject + mail.text)
    assert "{" not in mail.html
    assert all(len(line) <= 130 for line in mail.text.splitlines())
    assert b"Subject: " in build_message(msgspec.structs.replace(mail, id="1"), "regserver@example.org")


def test_every_mail_has_its_words_and_no_others_have() -> None:
    for catalogue in CATALOGUES.values():
        assert set(catalogue.mail.template) == set(get_args(MailTemplateName)) == set(SAMPLES)


def test_the_words_of_a_code_mail() -> None:
    mail = MAILS.write("code", "en", "ada@example.org", {"code": "314159", "minutes": "10"})
    assert (mail.subject, mail.text) == (
        "Your registration code",
        "314159 is your registration code.\n\nIt is valid for 10 minutes. Do not share it with anyone.\n",
    )


def test_a_language_without_a_catalogue_is_english() -> None:
    assert "Hello Ada" in MAILS.write("confirm", "de", "ada@example.org", VALUES).text


def test_a_link_is_a_button_and_can_be_copied() -> None:
    html = MAILS.write("confirm", "fr", "ada@example.org", VALUES).html
    assert html is not None
    link = VALUES["link"].replace("&", "&amp;")
    assert f'<a href="{link}"' in html
    assert ">Confirmer l’inscription</a>" in html
    assert f">{link}</span>" in html


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    values = {**VALUES, "username": "<b>&"}
    mail = MAILS.write("confirm", "en", "ada@example.org", values)
    assert mail.html is not None
    assert "<b>&" in mail.text
    assert "<b>&" not in mail.html
    assert "&lt;b&gt;&amp;" in mail.html
    assert VALUES["link"] in mail.text
    assert VALUES["link"].replace("&", "&amp;") in mail.html


def test_an_operator_overrides_one_file_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "confirm.en.txt").write_text("Subject: Welcome\n  to us\n\nHere: {{ link }}\n")
    templates = load_mail_templates(tmp_path, "example.org")
    mail = templates.write("confirm", "en", "ada@example.org", VALUES)
    assert (mail.subject, mail.text) == ("Welcome to us", f"Here: {VALUES['link']}\n")
    assert "Bonjour" in templates.write("confirm", "fr", "ada@example.org", VALUES).text


def test_an_operators_own_html_and_layout(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("<main lang={{ language }}>{% block body %}{% endblock %}</main>")
    own = '{% extends "layout.html" %}{% block body %}<a href="{{ link }}">{{ username }}</a>{% endblock %}'
    (tmp_path / "confirm.en.html").write_text(own)
    templates = load_mail_templates(tmp_path, "example.org")
    values = {**VALUES, "username": "<b>"}
    html = templates.write("confirm", "en", "ada@example.org", values).html
    assert html == f'<main lang=en><a href="{VALUES["link"].replace("&", "&amp;")}">&lt;b&gt;</a></main>'
    built_in = templates.write("code", "fr", "ada@example.org", SAMPLES["code"]).html or ""
    assert built_in.startswith("<main lang=fr>")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("confirm.en.txt", "Hello {{ link }}", "Subject"),
        ("confirm.en.txt", "Subject: x\n\nHello", "must contain {{ link }}"),
        ("confirm.fr.html", "<p>Bonjour</p>", "must contain {{ link }}"),
        ("confirm.en.txt", "Subject: x\n\n{{ lnik }}", "lnik"),
        ("name_taken.ru.html", "{% if %}", "line 1"),
        ("name_taken.en.txt", "Subject: x\n\n{{ link }}", "link"),
        ("layout.html", "{% block body %}", "layout"),
    ],
)
def test_mistakes_in_templates_are_named(tmp_path: Path, file: str, text: str, words: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(MailTemplateFault) as caught:
        load_mail_templates(tmp_path, "example.org")
    assert words in str(caught.value)
    assert file.rpartition(".")[0] in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MailTemplateFault, match="not a folder"):
        load_mail_templates(tmp_path / "nowhere", "example.org")
