"""All texts for people: pages, mails, SMS, messages of a live registration. One catalogue for each language.

A catalogue is one TOML file without markup, so a translator works on one file. All files have the same keys and the same
{placeholders}; this is checked when they are loaded, at import. To add a language, add its file and its code in `Language`.
"""

from regserver.text.catalogue import (
    CATALOGUES,
    LANGUAGES,
    Catalogue,
    DirectoryMessage,
    Language,
    MailText,
    Passage,
    TextFault,
    parse_catalogues,
)

__all__ = [
    "CATALOGUES",
    "LANGUAGES",
    "Catalogue",
    "DirectoryMessage",
    "Language",
    "MailText",
    "Passage",
    "TextFault",
    "parse_catalogues",
]
