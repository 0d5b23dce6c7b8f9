"""The records of the document of everything that is kept about a person, a Struct for each part."""

from typing import Annotated

import msgspec

from regserver.web.http.field import (
    ContentField,
    EmailField,
    PasskeyIdField,
    PostIdField,
    RoomIdField,
    SessionIdField,
    TimeField,
    UserIdField,
    described,
)

CountField = Annotated[int, described("How many.", 3, ge=0)]
WordField = Annotated[str, described("A word of the server's.", "email")]
TextField = Annotated[str, described("A text.", "Kitchen")]
LedgerIdField = Annotated[str, described("The userId of the steps door.", "tst5swkjbtgy")]
TruthField = Annotated[bool, described("Whether it is so.", example=True)]


class ExportRecord(msgspec.Struct, frozen=True, rename="camel"):
    """Base of what one row is told as. Its members are those of the records of its part."""


class ExportedAccount(ExportRecord, frozen=True):
    """The account. door: by which it was made. waitsFor: what has to happen before it can be used. suspendedAt: since when it cannot. deletedAt: since when it is closed; erasedAt: since when it is empty."""

    user_id: UserIdField
    username: TextField
    door: WordField
    email: EmailField | None
    email_verified_at: TimeField | None
    has_password: TruthField
    ledger_user_id: LedgerIdField | None
    server: Annotated[str, described("The host that the directory chose.", "one.example.org")] | None
    waits_for: WordField | None
    suspended_at: TimeField | None
    created_at: TimeField
    updated_at: TimeField
    deleted_at: TimeField | None
    erased_at: TimeField | None


class ExportedSource(ExportRecord, frozen=True):
    """The person of the data source behind the account. confirmedAt: of the source's last yes."""

    kind: WordField
    name: TextField | None
    subject: TextField | None
    confirmed_at: TimeField | None


class ExportedProfile(ExportRecord, frozen=True):
    """The names that the data source has told."""

    first_name: TextField
    middle_name: TextField | None
    last_name: TextField


class ExportedContact(ExportRecord, frozen=True):
    """A verified address or phone number; the server has a keyed hash of it, and an address also in the account."""

    kind: WordField
    verified_at: TimeField


class ExportedSession(ExportRecord, frozen=True):
    """A session by sign-in, or a named token. network: coarse. lastUsedAt: of a minute ago at most."""

    session_id: SessionIdField
    name: TextField | None
    agent: TextField
    network: TextField
    created_at: TimeField
    last_used_at: TimeField
    expires_at: TimeField


class ExportedTicket(ExportRecord, frozen=True):
    """A ticket of a session that opens a WebSocket."""

    session_id: SessionIdField
    expires_at: TimeField


class ExportedLink(ExportRecord, frozen=True):
    """A link that was mailed and is not used."""

    purpose: WordField
    email: EmailField | None
    expires_at: TimeField


class ExportedApp(ExportRecord, frozen=True):
    """An authenticator app. enabledAt: null until its first code. recoveryCodes: those left."""

    enabled_at: TimeField | None
    recovery_codes: CountField


class ExportedFactorTicket(ExportRecord, frozen=True):
    """A sign-in that waits for its second factor."""

    purpose: WordField
    expires_at: TimeField


class ExportedPasskey(ExportRecord, frozen=True):
    """A passkey. signCount: as its authenticator counts."""

    passkey_id: PasskeyIdField
    name: TextField
    sign_count: CountField
    created_at: TimeField
    last_used_at: TimeField | None


class ExportedNetwork(ExportRecord, frozen=True):
    """A network that the account was signed in from, of which the server has a keyed hash."""

    language: WordField
    signed_in_at: TimeField


class ExportedGuesses(ExportRecord, frozen=True):
    """Wrong secrets in a row."""

    failures: CountField
    failed_at: TimeField


class ExportedImport(ExportRecord, frozen=True):
    """The account was brought along from other software. person: `id:` and the person's id there, or `name:` and their name."""

    person: TextField


class ExportedAllowance(ExportRecord, frozen=True):
    """What the account has used of one day's allowance. dayAt: the day's beginning."""

    day_at: TimeField
    posts: CountField
    rooms: CountField
    kept_bytes: CountField


class ExportedMembership(ExportRecord, frozen=True):
    """A stay in a room. name: of a room that one is in. joinedAt, leftAt: as long as the room's log has them.

    seenPostId: the unread mark, 0 for none. broughtInAt: when somebody did who shared no other room.
    """

    room_id: RoomIdField
    name: TextField | None
    is_member: TruthField
    joined_at: TimeField | None
    left_at: TimeField | None
    seen_post_id: Annotated[int, described("A post's id, or 0.", 42, ge=0)]
    brought_in_at: TimeField | None


class ExportedOffer(ExportRecord, frozen=True):
    """A room that the person was asked into and has not answered for. offeredBy: a userId."""

    room_id: RoomIdField
    offered_by: UserIdField
    offered_at: TimeField


class ExportedOfferMade(ExportRecord, frozen=True):
    """Somebody whom the person has asked into a room, and who has not answered."""

    user_id: UserIdField
    room_id: RoomIdField
    offered_at: TimeField


class ExportedBlock(ExportRecord, frozen=True):
    """Somebody whom the person keeps out."""

    user_id: UserIdField
    since_at: TimeField


class ExportedPushSubscription(ExportRecord, frozen=True):
    """Where the person is told of rooms while no socket is there. host: of the push service. showsContent: with the posts."""

    subscription_id: Annotated[int, described("A subscription's id.", 3)]
    shows_content: TruthField
    host: TextField
    language: WordField
    created_at: TimeField


class ExportedMute(ExportRecord, frozen=True):
    """A room of which the person is told by no push."""

    room_id: RoomIdField


class ExportedOriginal(ExportRecord, frozen=True):
    """What a post of the person's said before it was edited first; kept as long as the log of the rooms."""

    post_id: PostIdField
    content: ContentField
    edited_at: TimeField


class ExportedPost(ExportRecord, frozen=True):
    """A post of the person's, also in a room that they have left."""

    post_id: PostIdField
    room_id: RoomIdField
    content: ContentField
    created_at: TimeField
    edited_at: TimeField | None


class ExportedRetry(ExportRecord, frozen=True):
    """The answer that is kept for an Idempotency-Key: the id that it gave."""

    key: TextField
    answer: Annotated[int, described("An id.", 42)] | None
    expires_at: TimeField


class ExportedSignUp(ExportRecord, frozen=True):
    """A sign-up at the directory that was confirmed, or that came after the name was the person's."""

    username: TextField
    created_at: TimeField
    expires_at: TimeField


class ExportedRegistration(ExportRecord, frozen=True):
    """A registration by steps. mask: of the contact, which the server has as keyed hashes."""

    ledger_user_id: LedgerIdField
    kind: WordField
    mask: TextField
    provider: WordField | None
    state: WordField
    username: TextField | None
    code_expires_at: TimeField | None
    code_tries: CountField
    other_tries: CountField
    resends: CountField
    retry_at: TimeField | None
    lapses_at: TimeField | None
    admitted_at: TimeField | None
    updated_at: TimeField


class ExportedReward(ExportRecord, frozen=True):
    """A reward of the steps door."""

    reason: WordField
    community: TextField
    granted_at: TimeField


class ExportedLedgerEntry(ExportRecord, frozen=True):
    """The account's entry in the ledger's journal, with its public keys."""

    written_at: TimeField
    ledger_user_id: LedgerIdField
    number: CountField
    username: TextField
    owner_key: TextField
    active_key: TextField
    reference: TextField


class ExportedSubmission(ExportRecord, frozen=True):
    """A transaction on its way to another ledger."""

    owner_key: TextField
    active_key: TextField
    transaction_id: TextField
    expires_at: TimeField


class ExportedAuditRow(ExportRecord, frozen=True):
    """What was done with the account, by whom, and how it ended. number: of the row in the audit."""

    number: CountField
    done_at: TimeField
    actor: TextField
    action: WordField
    outcome: WordField
    subject: TextField
    network: Annotated[str, described("An IPv4 /24 or IPv6 /48; empty if unknown.", "192.0.2.0/24")]


class ExportedMail(ExportRecord, frozen=True):
    """A mail to a verified address that waits to be sent; its text is told to nobody else."""

    to: EmailField
    subject: TextField
    created_at: TimeField
    due_at: TimeField
    attempts: CountField
    parked_at: TimeField | None
