"""The catalogues: the loader's refusals, and mistakes that only a reader would notice."""

import re
from importlib.resources import files

import pytest

from regserver.text import CATALOGUES, LANGUAGES, Language, TextFault, parse_catalogues

SOURCES: dict[Language, str] = {
    language: (files("regserver.text") / f"{language}.toml").read_text("utf-8") for language in LANGUAGES
}


def changed(old: str, new: str, language: Language = "fr") -> dict[Language, str]:
    assert SOURCES[language].count(old) == 1
    return {**SOURCES, language: SOURCES[language].replace(old, new)}


def test_the_files_are_sound() -> None:
    assert parse_catalogues(SOURCES) == CATALOGUES


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('retryNow = "Réessayer maintenant"\n', "", "page.retryNow is missing"),
        ('retryNow = "', 'retryAgain = "x"\nretryNow = "', "page.retryAgain is unknown"),
        ('retryNow = "Réessayer maintenant"', 'retryNow = " "', "page.retryNow is empty"),
        ("Étape {step} sur", "Étape {etape} sur", "script.registration.stepOf has other placeholders"),
        ('retryNow = "Réessayer maintenant"', 'retryNow = "Réessayer', "Illegal character"),
        ('message = "Inscription commencée"\n', "", "directory.INIT_DONE.message is missing"),
    ],
)
def test_catalogues_that_do_not_agree(old: str, new: str, said: str) -> None:
    with pytest.raises(TextFault, match=re.escape(f"fr.toml: {said}")):
        parse_catalogues(changed(old, new))


def test_a_key_that_no_language_should_have() -> None:
    with pytest.raises(TextFault, match="shop"):
        parse_catalogues({language: f'shop = "x"\n{source}' for language, source in SOURCES.items()})


def test_a_fault_of_the_first_language_is_one_too() -> None:
    with pytest.raises(TextFault, match=r"en\.toml: page\.retryNow is empty"):
        parse_catalogues(changed('retryNow = "Try now"', 'retryNow = ""', "en"))


def test_the_directory_speaks_what_its_protocol_has() -> None:
    assert [language for language, text in CATALOGUES.items() if text.directory] == ["en", "fr"]


def test_one_sms_is_enough() -> None:
    """70 characters: what one SMS holds when a character is outside the GSM alphabet."""
    for text in CATALOGUES.values():
        assert len(text.sms.code.replace("{code}", "1234567890")) <= 70


def texts(language: Language) -> str:
    """The file without its comments and quotes."""
    return re.sub(r'(?m)^#.*|^\S+ = |"', "", SOURCES[language])


def test_french_typography() -> None:
    """No-break spaces (narrow before ; ! and ?), and the curly apostrophe, which an SMS cannot have."""
    french = texts("fr").replace(CATALOGUES["fr"].sms.code, "")
    assert re.findall("[^\u202f][;!?]|[^\u00a0][:»]|«[^\u00a0]|'", french) == []


def test_russian_typography() -> None:
    assert re.findall("[“”„]|Еще|еще|учетн", texts("ru")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_odd_spaces(language: Language) -> None:
    assert re.findall(r"  +| \n", texts(language)) == []
