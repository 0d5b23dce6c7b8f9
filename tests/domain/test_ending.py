"""The table of what ends what, as docs/account.md prints it."""

from pathlib import Path

from regserver.domain.ending import WHAT_ENDS_WHAT, AccountEvent, Fate, Outstanding

DOCUMENT = Path(__file__).parents[2] / "docs" / "account.md"
LIVING = {Outstanding.ITS_SESSION, Outstanding.OTHER_SESSIONS, Outstanding.NAMED_TOKENS}


def test_the_document_prints_the_table() -> None:
    section = DOCUMENT.read_text("utf-8").partition("## What ends what")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert head[1:] == [event.name.lower().replace("_", " ") for event in AccountEvent]
    assert [row[0] for row in rows] == [thing.value for thing in Outstanding]
    for thing, row in zip(Outstanding, rows, strict=True):
        assert row[1:] == [WHAT_ENDS_WHAT[event][thing].value for event in AccountEvent], thing


def test_no_socket_outlives_the_right_to_it() -> None:
    for event, fates in WHAT_ENDS_WHAT.items():
        if Fate.DENIED in {fates[thing] for thing in LIVING}:
            assert fates[Outstanding.SOCKETS] is Fate.ENDED, event
        else:
            assert fates[Outstanding.SOCKETS] is Fate.WITH_SESSION, event


def test_a_lost_password_opens_nothing_later() -> None:
    for event in (
        AccountEvent.PASSWORD_CHANGED,
        AccountEvent.PASSWORD_CHANGED_AT_SOURCE,
        AccountEvent.RECOVERED,
    ):
        kept = {thing for thing, fate in WHAT_ENDS_WHAT[event].items() if fate is Fate.KEPT}
        assert kept == {
            Outstanding.ITS_SESSION,
            Outstanding.UNDO_LINKS,
            Outstanding.APPROVAL_LINKS,
            Outstanding.INVITATIONS,
            Outstanding.REGISTRATIONS,
            Outstanding.RESTORE,
        }
