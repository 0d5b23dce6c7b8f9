"""The language of an answer: by the query, by Accept-Language, and the same on every page."""

import pytest

from regserver.endpoint import Request
from regserver.web.http.language import MAX_HEADER, language_of, match_language


def spoken(query: str, header: str) -> str:
    return language_of(Request(method="GET", path="/", query=query, headers={"accept-language": header}))


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "", "en"),
        ("", "fr", "fr"),
        ("", "fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3", "fr"),
        ("", "ru,en;q=0.9", "ru"),
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("", "fr-CH, en;q=0.9", "fr"),
        ("", "de-DE, fr;q=0.4, ru;q=0.7", "ru"),
        ("", "EN-GB", "en"),
        ("", "ru;q=0.5, fr;q=0.5", "ru"),
        ("", "fr;q=0, de", "en"),
        ("", "*", "en"),
        ("", "fr;q=nonsense", "en"),
        ("", "\u0000,;;q=,fr" + "," * 100_000, "fr"),
        ("lang=ru", "fr", "ru"),
        ("x=1&lang=FR", "", "fr"),
        ("lang=ru&lang=fr", "", "fr"),
        ("lang=xx", "fr", "fr"),
        ("lang=", "ru", "ru"),
        ("lang=de", "de, fr;q=0.1", "fr"),
    ],
)
def test_the_language_is_the_chosen_or_the_preferred(query: str, header: str, language: str) -> None:
    assert spoken(query, header) == language


def test_a_long_header_is_cut_between_two_elements() -> None:
    header = ("fr;q=0.9" + ",de;q=0.1" * 54).ljust(MAX_HEADER - 3) + ",ru;q=0.1"
    assert header[MAX_HEADER - 3 : MAX_HEADER] == ",ru"  # cut there, ru would be wanted most
    assert spoken("", header) == "fr"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("fr", "fr"), ("FR", "fr"), ("fr-CH", "fr"), ("fr_CH", "fr"), ("ru", "ru"), ("fra", None), ("", None)],
)
def test_a_tag_is_matched_by_its_primary_part(tag: str, language: str | None) -> None:
    assert match_language(tag) == language
