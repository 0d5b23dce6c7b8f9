"""Erasing what is kept about a person: for each table, what happens to the rows of an erased account, and why.

A new table does not pass the tests unless it is named here (`tests/store/test_erasure.py`).
"""

from string import Formatter

import msgspec

from regserver.domain.account import DELETED_USER, AccountId, NameKey
from regserver.domain.idempotency import account_scope
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Rows

OWN = "account_id = {account}"
OF_LEDGER_NAME = "user_id = (SELECT ledger_name FROM account WHERE id = {account})"
EMPTIED_ACCOUNT = (
    f"username = '{DELETED_USER}', name_key = {{name}}, email = NULL, email_key = NULL, email_verified_at = NULL,"
    " password_hash = NULL, server = NULL, subject = NULL, source = NULL, source_name = NULL,"
    " source_confirmed_at = NULL, waits_for = NULL, suspended_at = NULL, updated_at = {now}, erased_at = {now}"
)


class Trace(msgspec.Struct, frozen=True):
    """What erasure does with one table.

    removed: which rows of the person are removed. emptied: what is set in which rows. kept: why what remains tells nothing
    about the person, or why it must. Conditions have {account}, {name}, {scope} and {now} for the parameters.
    """

    table: str
    removed: str = ""
    emptied: tuple[str, str] = ("", "")
    kept: str = ""


TRACES: tuple[Trace, ...] = (
    Trace("steps_registration", removed=OF_LEDGER_NAME),
    Trace("steps_reward", removed=OF_LEDGER_NAME),
    Trace("ledger_submission", removed=OF_LEDGER_NAME),
    Trace("profile", removed=OWN),
    Trace("verified_contact", removed=OWN),
    Trace("unkeyed_address", removed=OWN),
    Trace("account_link", removed=OWN),
    Trace("sign_in_code", removed=OWN),
    Trace("waiting_mail", removed=OWN),
    Trace("totp", removed=OWN),
    Trace("recovery_code", removed=OWN),
    Trace("factor_ticket", removed=OWN),
    Trace("passkey", removed=OWN),
    Trace("known_network", removed=OWN),
    Trace("guess", removed=OWN),
    Trace("imported_account", removed=OWN),
    Trace("allowance", removed=OWN),
    Trace("room_offer", removed=f"{OWN} OR offered_by = {{account}}"),
    Trace("account_block", removed=f"{OWN} OR blocked_id = {{account}}"),
    Trace("push_subscription", removed=OWN),
    Trace("presence", removed=OWN),
    Trace("post_original", removed=OWN),
    Trace("room_mute", removed=OWN),
    Trace("retry", removed="scope = {scope}"),
    Trace("token", emptied=("name = NULL, agent = '', network = ''", OWN), kept="hashes, until they expire"),
    Trace("pending_creation", emptied=("username = ''", OWN), kept="the hash of a used challenge"),
    Trace(
        "account", emptied=(EMPTIED_ACCOUNT, "id = {account}"), kept="the number, and the userId of the steps"
    ),
    Trace("name", kept="a keyed hash, by NameTable, so that nobody gets the name again"),
    Trace("ledger_journal", kept="the userId, by JournalTable, so that the chain has no gap"),
    Trace("ledger_head", kept="the end of the chain"),
    Trace("ticket", kept="hashes, for seconds"),
    Trace("room", kept="a room is its members'"),
    Trace("membership", kept="numbers, until the log is trimmed"),
    Trace("event", kept="numbers, until the log is trimmed"),
    Trace("event_cut", kept="a place in the log"),
    Trace("post", kept="a conversation is all members'; it is by the number of a deleted user"),
    Trace("steps_budget", kept="keyed hashes, for a day"),
    Trace("sms_tally", kept="numbers of messages to a country"),
    Trace(
        "invitation", kept="the operator's: a hash, and a keyed hash and mask of an address, until it expires"
    ),
    Trace("captcha_solution", kept="hashes of challenges, for minutes"),
    Trace("passkey_challenge", kept="hashes of used challenges, for minutes"),
    Trace("outbox", kept="sealed mail, until it is sent, 30 days at most"),
    Trace("webhook", kept="the operator's: sealed addresses of receivers"),
    Trace("hook_event", kept="numbers, and the name of a failed registration, for a week"),
    Trace("hook_delivery", kept="numbers, until they are delivered, 3 days at most"),
    Trace("hook_log", kept="a place in the log"),
    Trace("push_message", kept="goes with its subscription"),
    Trace("presence_run", kept="numbers of changes"),
    Trace("push_position", kept="a place in the log"),
    Trace(
        "live_job", removed=OWN, kept="a registration that failed, sealed, for the time that it can be read"
    ),
    Trace("live_event", kept="goes with its registration"),
    Trace("live_run", kept="how long registrations took"),
    Trace("directory_server", kept="numbers of users"),
    Trace("server_key", kept="a hash of the server's key"),
    Trace("session_ending", kept="the last ten thousand numbers"),
    Trace("node", kept="names of servers"),
    Trace(
        "audit",
        emptied=("network = '', salt = NULL", OWN),
        kept="what was done with a number, until it is trimmed",
    ),
    Trace("audit_mark", kept="the ends of a chain"),
    Trace("operator_key", kept="the operator's"),
    Trace("operator_entry", kept="the operator's, for an hour"),
    Trace("migration", kept="versions of the schema"),
)


class ErasureRows(Rows):
    """All tables, in the order of TRACES: rows that are found by the account's userId come before the account."""

    async def due(self, before: Instant, limit: int) -> tuple[AccountId, ...]:
        """Uses the index of accounts that can be restored."""
        waiting = (
            "deleted_at IS NOT NULL AND erased_at IS NULL AND (deleted_at <= ? OR waits_for IS NOT NULL)"
        )
        statement = f"SELECT id FROM account WHERE {waiting} ORDER BY deleted_at, id LIMIT ?"
        return tuple([row[0] for row in await self._sql.rows(statement, before, limit)])

    async def in_rooms(self, limit: int) -> tuple[AccountId, ...]:
        """Uses the same index, then that of each account's memberships."""
        statement = (
            "SELECT DISTINCT account.id FROM account JOIN membership ON account_id = account.id"
            " WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND left_event IS NULL ORDER BY account.id LIMIT ?"
        )
        return tuple([row[0] for row in await self._sql.rows(statement, limit)])

    async def erase(self, account: AccountId, name: NameKey, now: Instant) -> None:
        """A DELETE or an UPDATE for each table."""
        values = {"account": account, "name": name, "scope": account_scope(account), "now": now}
        for trace in TRACES:
            if trace.removed:
                await self._run(f"DELETE FROM {trace.table} WHERE {trace.removed}", values)
            change, rows = trace.emptied
            if change:
                await self._run(f"UPDATE {trace.table} SET {change} WHERE {rows}", values)

    async def _run(self, statement: str, values: dict[str, object]) -> None:
        """Puts a question mark for each name in braces, and its value among the parameters."""
        parameters = [values[name] for _, name, _, _ in Formatter().parse(statement) if name]
        await self._sql.run(statement.format(**dict.fromkeys(values, "?")), *parameters)
