"""What people read: pages, mails, text messages, messages of a live registration. One catalogue a language.

A catalogue is one TOML file, so that a translator has one file to write, without markup, and sees the same thing named
in one place. All files have the same keys and the same {placeholders}: this is checked when they are loaded, which is
once, at import. A language is added by its file and its code in `Language`.
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
