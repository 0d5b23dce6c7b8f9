"""The document of everything that is kept about a person, and how it is written while it is read.

Members are added to it in later versions of the server; none is renamed or given another meaning without another `version`.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from regserver.domain.instant import Instant, iso_seconds
from regserver.endpoint import StreamResponse
from regserver.ports.export_table import Record
from regserver.service.export_service import Exporter
from regserver.web.http.answer import HeaderFields
from regserver.web.http.field import TimeField
from regserver.web.http.schema import members
from regserver.web.sign_in.export_record import (
    ExportedAccount,
    ExportedAllowance,
    ExportedApp,
    ExportedAuditRow,
    ExportedBlock,
    ExportedContact,
    ExportedFactorTicket,
    ExportedGuesses,
    ExportedImport,
    ExportedLedgerEntry,
    ExportedLink,
    ExportedMail,
    ExportedMembership,
    ExportedMute,
    ExportedNetwork,
    ExportedOffer,
    ExportedOfferMade,
    ExportedOriginal,
    ExportedPasskey,
    ExportedPost,
    ExportedProfile,
    ExportedPushSubscription,
    ExportedRegistration,
    ExportedRetry,
    ExportedReward,
    ExportedSession,
    ExportedSignUp,
    ExportedSource,
    ExportedSubmission,
    ExportedTicket,
    ExportRecord,
    TruthField,
)

CHUNK_BYTES = 32 * 1024
FORMAT: Literal["regserver account export"] = "regserver account export"


class ExportDocument(msgspec.Struct, frozen=True, rename="camel"):
    """Everything that is kept about a person. Secrets and hashes of secrets are left out."""

    format: Annotated[Literal["regserver account export"], Meta(examples=[FORMAT])]
    version: Annotated[Literal[1], Meta(examples=[1])]
    exported_at: TimeField
    account: ExportedAccount
    source: ExportedSource | None
    profile: ExportedProfile | None
    contacts: tuple[ExportedContact, ...]
    sessions: tuple[ExportedSession, ...]
    tickets: tuple[ExportedTicket, ...]
    links: tuple[ExportedLink, ...]
    authenticator_app: ExportedApp | None
    factor_tickets: tuple[ExportedFactorTicket, ...]
    passkeys: tuple[ExportedPasskey, ...]
    imports: tuple[ExportedImport, ...]
    networks: tuple[ExportedNetwork, ...]
    guesses: tuple[ExportedGuesses, ...]
    allowance: ExportedAllowance | None
    rooms: tuple[ExportedMembership, ...]
    offers: tuple[ExportedOffer, ...]
    offers_made: tuple[ExportedOfferMade, ...]
    blocks: tuple[ExportedBlock, ...]
    push_subscriptions: tuple[ExportedPushSubscription, ...]
    muted_rooms: tuple[ExportedMute, ...]
    edited_posts: tuple[ExportedOriginal, ...]
    retries: tuple[ExportedRetry, ...]
    directory_sign_ups: tuple[ExportedSignUp, ...]
    registrations: tuple[ExportedRegistration, ...]
    rewards: tuple[ExportedReward, ...]
    ledger_entries: tuple[ExportedLedgerEntry, ...]
    ledger_submissions: tuple[ExportedSubmission, ...]
    mails: tuple[ExportedMail, ...]
    audit: tuple[ExportedAuditRow, ...]
    posts: tuple[ExportedPost, ...]


class AccountExport(StreamResponse, frozen=True, kw_only=True):
    """The document, written while it is read. A connection that ends without its last chunk has brought a part of it."""

    wire_type: ClassVar[Any] = ExportDocument

    headers: HeaderFields = (("content-disposition", 'attachment; filename="account.json"'),)


class ExportPart(msgspec.Struct, frozen=True):
    """One member of the document. name: the part's. kind: of its records. is_list: False for one record or null.

    times, truths: the members of a record that are written as such.
    """

    name: str
    member: str
    kind: type[ExportRecord]
    is_list: bool
    times: frozenset[str]
    truths: frozenset[str]

    def encode(self, record: Record) -> bytes:
        """A record's JSON."""
        return _encode(
            self.kind(**{name: self._told(name, record[name]) for name in self.kind.__struct_fields__})
        )

    def _told(self, name: str, value: str | int | None) -> str | int | None:
        if name in self.times and isinstance(value, int):
            return iso_seconds(Instant(value))
        return bool(value) if name in self.truths else value


_encode = msgspec.json.Encoder().encode


def _parts() -> tuple[ExportPart, ...]:
    hints = get_type_hints(ExportDocument)
    found = []
    for field in msgspec.structs.fields(ExportDocument):
        kind = next(part for part in members(hints[field.name]) if part is not type(None))
        is_list = get_origin(kind) is tuple
        kind = get_args(kind)[0] if is_list else kind
        if isinstance(kind, type) and issubclass(kind, ExportRecord):
            exact = {name: members(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}
            times = frozenset(name for name, hint in exact.items() if TimeField in hint)
            truths = frozenset(name for name, hint in exact.items() if TruthField in hint)
            found.append(ExportPart(field.name, field.encode_name, kind, is_list, times, truths))
    return tuple(found)


EXPORT_PARTS = _parts()
"""The members of the document that are read from the store, in their order."""


async def write_export(exporter: Exporter, now: Instant) -> AsyncGenerator[bytes, None]:
    """The document in pieces. Raises what the exporter raises; then it is incomplete."""
    head = {"format": FORMAT, "version": 1, "exportedAt": iso_seconds(now)}
    piece = bytearray(_encode(head)[:-1])
    for part in EXPORT_PARTS:
        piece += b',\n"%b":' % part.member.encode() + (b"[" if part.is_list else b"")
        count = 0
        async with aclosing(exporter.pages(part.name)) as pages:
            async for records in pages:
                for record in records:
                    piece += (b",\n" if count else b"") + part.encode(record)
                    count += 1
                    if len(piece) > CHUNK_BYTES:
                        yield bytes(piece)
                        piece.clear()
        piece += b"]" if part.is_list else b"" if count else b"null"
    yield bytes(piece) + b"}\n"
