"""The export of what is kept about a person: for each table, what is told of it, and why the rest is not.

A new table or column does not pass the tests unless it is named here (`tests/store/test_export.py`). What is told is described in
`regserver.web.sign_in.export_wire`, part by part; `erasure_rows` says what becomes of the same rows at the end.
"""

from collections.abc import Mapping

import msgspec

OWN = "account_id = {account}"
OF_LEDGER_NAME = "user_id = (SELECT ledger_name FROM account WHERE id = {account})"
HASH = "a hash of a secret"
ASKED = "whose they are is asked by it"


class Telling(msgspec.Struct, frozen=True):
    """What the export tells of one table.

    part: the document's member; "" for none. told: member of a record → the SQL that it is read by. rows: whose they are, with
    {account} and {scope} for parameters. key: columns that are unique among them. joined: further tables that the SQL needs.
    withheld: other columns, or all of a table ("*"), and why they are not told.
    """

    table: str
    part: str = ""
    told: Mapping[str, str] = {}
    rows: str = OWN
    key: tuple[str, ...] = ("account_id",)
    joined: str = ""
    withheld: Mapping[str, str] = {}


def _same(*names: str) -> dict[str, str]:
    """Members that are called as their columns."""
    return {name: name for name in names}


OF_NOBODY = [
    "event_cut",
    "ledger_head",
    "sms_tally",
    "captcha_solution",
    "passkey_challenge",
    "hook_log",
    "live_run",
    "directory_server",
    "server_key",
    "node",
    "audit_mark",
    "migration",
]

TELLINGS: tuple[Telling, ...] = (
    Telling(
        "account",
        "account",
        {"user_id": "id", "has_password": "password_hash IS NOT NULL", "ledger_user_id": "ledger_name"}
        | _same("username", "door", "email", "email_verified_at", "server")
        | _same("waits_for", "suspended_at", "created_at", "updated_at", "deleted_at", "erased_at"),
        rows="id = {account}",
        key=("id",),
        withheld={"name_key": "the name again", "email_key": "the address again"},
    ),
    Telling(
        "account",
        "source",
        {
            "kind": "source",
            "name": "source_name",
            "subject": "subject",
            "confirmed_at": "source_confirmed_at",
        },
        rows="id = {account} AND source IS NOT NULL",
        key=("id",),
    ),
    Telling(
        "profile", "profile", _same("first_name", "middle_name", "last_name"), withheld={"account_id": ASKED}
    ),
    Telling(
        "verified_contact",
        "contacts",
        _same("kind", "verified_at"),
        key=("contact",),
        withheld={"contact": "a keyed hash", "account_id": ASKED},
    ),
    Telling(
        "token",
        "sessions",
        _same("session_id", "name", "agent", "network", "created_at", "last_used_at", "expires_at"),
        key=("session_id",),
        withheld={"hash": HASH, "account_id": ASKED},
    ),
    Telling(
        "ticket",
        "tickets",
        {"session_id": "token.session_id", "expires_at": "ticket.expires_at"},
        joined="JOIN token ON token.hash = ticket.token_hash",
        key=("token.session_id", "ticket.expires_at", "ticket.hash"),
        withheld={"hash": HASH, "token_hash": HASH},
    ),
    Telling(
        "account_link",
        "links",
        _same("purpose", "email", "expires_at"),
        key=("expires_at", "hash"),
        withheld={"hash": HASH, "account_id": ASKED},
    ),
    Telling(
        "totp",
        "authenticator_app",
        {
            "enabled_at": "enabled_at",
            "recovery_codes": "(SELECT count(*) FROM recovery_code WHERE recovery_code.account_id = totp.account_id)",
        },
        withheld={"sealed": "the secret", "last_step": "which codes are used up", "account_id": ASKED},
    ),
    Telling(
        "recovery_code", withheld={"*": "hashes of secrets; their number stands with the authenticator app"}
    ),
    Telling(
        "factor_ticket",
        "factor_tickets",
        _same("purpose", "expires_at"),
        key=("expires_at", "hash"),
        withheld={"hash": HASH, "account_id": ASKED},
    ),
    Telling(
        "passkey",
        "passkeys",
        {"passkey_id": "id"} | _same("name", "sign_count", "created_at", "last_used_at"),
        key=("id",),
        withheld={"credential": "finds the key", "public_key": "tests the key", "account_id": ASKED},
    ),
    Telling(
        "imported_account",
        "imports",
        {"person": "key"},
        key=("key",),
        withheld={"account_id": ASKED},
    ),
    Telling(
        "known_network",
        "networks",
        _same("language", "signed_in_at"),
        key=("network",),
        withheld={"network": "a keyed hash", "account_id": ASKED},
    ),
    Telling(
        "guess",
        "guesses",
        _same("failures", "failed_at"),
        key=("counter",),
        withheld={"counter": "a keyed hash", "account_id": ASKED},
    ),
    Telling(
        "allowance",
        "allowance",
        {"day_at": "day * 86400000"} | _same("posts", "rooms", "kept_bytes"),
        withheld={"account_id": ASKED},
    ),
    Telling(
        "membership",
        "rooms",
        {
            "room_id": "membership.room_id",
            "name": "CASE WHEN left_event IS NULL THEN room.name END",
            "is_member": "left_event IS NULL",
            "joined_at": "(SELECT at FROM event WHERE event.id = joined_event)",
            "left_at": "(SELECT at FROM event WHERE event.id = left_event)",
            "seen_post_id": "seen_post",
            "brought_in_at": "stranger_at",
        },
        joined="LEFT JOIN room ON room.id = membership.room_id",
        key=("membership.room_id", "joined_event"),
        withheld={"account_id": ASKED},
    ),
    Telling(
        "room", withheld={"*": "a room is its members'; the names of one's own stand with the memberships"}
    ),
    Telling(
        "room_offer",
        "offers",
        _same("room_id", "offered_by", "offered_at"),
        key=("room_id",),
        withheld={"account_id": ASKED},
    ),
    Telling(
        "room_offer",
        "offers_made",
        {"user_id": "account_id"} | _same("room_id", "offered_at"),
        rows="offered_by = {account}",
        key=("room_id", "account_id"),
    ),
    Telling(
        "account_block",
        "blocks",
        {"user_id": "blocked_id", "since_at": "since"},
        key=("blocked_id",),
        withheld={"account_id": ASKED, "blocked_id": "whom others keep out is theirs to know"},
    ),
    Telling(
        "push_subscription",
        "push_subscriptions",
        {"subscription_id": "id", "shows_content": "shows_content = 1"}
        | _same("host", "language", "created_at"),
        key=("id",),
        withheld={
            "endpoint": "a hash of a secret",
            "sealed": "whoever has it can push",
            "token_hash": HASH,
            "account_id": ASKED,
        },
    ),
    Telling("room_mute", "muted_rooms", _same("room_id"), key=("room_id",), withheld={"account_id": ASKED}),
    Telling("presence", withheld={"*": "the number alone, while a socket is there"}),
    Telling("presence_run", withheld={"*": "of nobody"}),
    Telling("push_message", withheld={"*": "what the rooms tell, for a day"}),
    Telling("push_position", withheld={"*": "of nobody"}),
    Telling(
        "post_original",
        "edited_posts",
        _same("post_id", "content", "edited_at"),
        key=("post_id",),
        withheld={"account_id": ASKED},
    ),
    Telling(
        "post",
        "posts",
        {"post_id": "id"} | _same("room_id", "content", "created_at", "edited_at"),
        rows="author_id = {account} AND room_id = {room}",
        key=("id",),
        withheld={
            "ordinal": "a number for counting",
            "author_ordinal": "a number for counting",
            "author_id": ASKED,
        },
    ),
    Telling(
        "retry",
        "retries",
        {"key": "retry_key"} | _same("answer", "expires_at"),
        rows="scope = {scope}",
        key=("retry_key",),
        withheld={"scope": ASKED, "request": "a digest"},
    ),
    Telling(
        "pending_creation",
        "directory_sign_ups",
        _same("username", "created_at", "expires_at"),
        key=("created_at", "challenge_hash"),
        withheld={
            "challenge_hash": HASH,
            "language": "may be that of somebody else who wanted the name",
            "email": "empty once it is somebody's",
            "email_key": "empty once it is somebody's",
            "password_hash": "empty once it is somebody's",
            "network": "empty once it is somebody's",
            "invitation": "empty once it is somebody's",
            "account_id": ASKED,
        },
    ),
    Telling(
        "steps_registration",
        "registrations",
        {"ledger_user_id": "user_id"}
        | _same(
            "kind", "mask", "provider", "state", "username", "code_expires_at", "code_tries", "other_tries"
        )
        | _same("resends", "retry_at", "lapses_at", "admitted_at", "updated_at"),
        rows=OF_LEDGER_NAME,
        key=("user_id",),
        withheld={
            "contact": "a keyed hash",
            "lookup": "a keyed hash",
            "network": "a keyed hash",
            "code": HASH,
            "token": HASH,
            "invitation": HASH,
        },
    ),
    Telling(
        "steps_reward",
        "rewards",
        _same("reason", "community", "granted_at"),
        rows=OF_LEDGER_NAME,
        key=("reason", "community"),
        withheld={"user_id": ASKED},
    ),
    Telling(
        "ledger_journal",
        "ledger_entries",
        {"written_at": "at", "ledger_user_id": "user_id"}
        | _same("number", "username", "owner_key", "active_key", "reference"),
        rows=OF_LEDGER_NAME,
        key=("number",),
        withheld={"previous": "a hash of others' entries", "hash": "a keyed hash", "erased": "a seal"},
    ),
    Telling(
        "ledger_submission",
        "ledger_submissions",
        _same("owner_key", "active_key", "transaction_id", "expires_at"),
        rows=OF_LEDGER_NAME,
        key=("user_id",),
        withheld={"signed": "whoever has it can send it", "user_id": ASKED},
    ),
    Telling("outbox", withheld={"*": "sealed; the service opens it for recipient and subject"}),
    Telling("unkeyed_address", withheld={"*": "the number alone, until the next start"}),
    Telling("name", withheld={"*": "the name again, or a keyed hash"}),
    Telling("event", withheld={"*": "what memberships and posts tell, for rooms.event_retention"}),
    Telling("steps_budget", withheld={"*": "keyed hashes, for a day"}),
    Telling(
        "waiting_mail", withheld={"*": "a sealed mail that says the account was approved, while it waits"}
    ),
    Telling("invitation", withheld={"*": "the operator's; of an address it has a keyed hash and a mask"}),
    Telling("sign_in_code", withheld={"*": "keyed hashes of a code and its contact, for minutes"}),
    Telling("webhook", withheld={"*": "the operator's"}),
    Telling("operator_key", withheld={"*": "the operator's"}),
    Telling("operator_entry", withheld={"*": "the operator's"}),
    Telling(
        "audit",
        "audit",
        {"done_at": "at"} | _same("number", "actor", "action", "outcome", "subject", "network"),
        key=("number",),
        withheld=dict.fromkeys(("salt", "digest", "hash"), "tests the row") | {"account_id": ASKED},
    ),
    Telling("hook_event", withheld={"*": "numbers of what happened, for a week, for the operator"}),
    Telling("hook_delivery", withheld={"*": "numbers of what the operator is still to be told of"}),
    Telling("live_job", withheld={"*": "what was shown while the account was made, sealed, for a minute"}),
    Telling("live_event", withheld={"*": "the same"}),
    Telling("session_ending", withheld={"*": "a number"}),
    *(Telling(table, withheld={"*": "of nobody"}) for table in OF_NOBODY),
)

PARTS: Mapping[str, Telling] = {telling.part: telling for telling in TELLINGS if telling.part}
