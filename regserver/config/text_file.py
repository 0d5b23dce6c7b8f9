"""Text that people have written with whatever program they have: a spreadsheet, Notepad, an old editor."""

import codecs
from pathlib import Path


def read_text(path: Path) -> str:
    """The text of a file, with line feeds alone and without a byte order mark.

    Raises OSError, and ValueError with the encoding that the file seems to have.
    """
    data = path.read_bytes()
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        found = f"line {line} is not UTF-8, at its byte {column}, 0x{data[error.start]:02X}"
        raise ValueError(f"{found}; it may be Latin-1 (Windows-1252): save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
