"""Which settings a running server takes at a reload (SIGHUP), and which need a restart. Every setting is in one of the two."""

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from regserver.config.section import Keys, Section
from regserver.config.setting import Settings

Kind = TypeVar("Kind", bound=Section)

RELOADED = frozenset(
    [
        "server.tls_cert",
        "server.tls_key",
        "server.cors_origins",
        "server.cors_headers",
        "login.open_registration",
        "signup.mode",
        "signup.domains",
        "signup.operator",
        "signup.operator_language",
        "signup.daily_waiting",
        "signup.daily_waiting_per_address",
        "signup.doors.rooms",
        "signup.doors.steps",
        "signup.doors.directory",
        "signup.doors.live",
        "live.file.path",
        "captcha.work",
        "captcha.hostnames",
        "captcha.action",
        "captcha.min_score",
        "captcha.url",
        "captcha.timeout",
        "captcha.secret_web",
        "captcha.secret_android",
        "captcha.secret_ios",
        "sms.kind",
        "sms.weights",
        "sms.countries",
        "sms.daily_max",
        "sms.text",
        "sms.timeout",
        "sms.http.url",
        "sms.http.method",
        "sms.http.headers",
        "sms.http.body",
        "sms.twilio.account_sid",
        "sms.twilio.auth_token",
        "sms.twilio.from",
        "sms.twilio.messaging_service_sid",
        "sms.twilio.url",
        "sms.vonage.api_key",
        "sms.vonage.api_secret",
        "sms.vonage.from",
        "sms.vonage.url",
        "sms.test",
        "mail.smtp",
        "mail.user",
        "mail.password",
        "mail.from",
        "mail.templates",
        "directory.servers",
        "directory.reserved",
        "limits.routes",
        "log.level",
    ]
)
RESTARTED = frozenset(
    [
        "server.bind",
        "server.data",
        "server.key",
        "server.public_url",
        "server.trusted_proxies",
        "server.proxy_fields",
        "server.outbound_proxy",
        "server.hsts",
        "server.security_contact",
        "server.grace",
        "server.drain",
        "server.http2",
        "server.max_connections",
        "server.max_connections_per_address",
        "server.test_mode",
        "server.mailbox",
        "server.bounds.target",
        "server.bounds.head",
        "server.bounds.header_count",
        "server.bounds.body",
        "server.bounds.message",
        "server.bounds.tls_timeout",
        "server.bounds.head_timeout",
        "server.bounds.body_timeout",
        "server.bounds.idle_timeout",
        "server.bounds.write_timeout",
        "server.bounds.least_rate",
        "server.bounds.held",
        "server.bounds.held_per_address",
        "server.bounds.held_per_connection",
        "server.bounds.ping_interval",
        "server.bounds.pong_timeout",
        "operations.networks",
        "operations.bearer",
        "operations.page",
        "store.url",
        "store.busy_timeout",
        "store.min_free",
        "store.password",
        "store.pool_size",
        "store.pool_timeout",
        "store.statement_timeout",
        "backup.every",
        "backup.keep",
        "backup.folder",
        "fanout.engine",
        "node.name",
        "node.lease",
        "login.token_ttl",
        "login.named_tokens",
        "login.named_token_ttl",
        "login.named_token_max_ttl",
        "login.deletion_grace",
        "login.query_token",
        "login.verify_email",
        "signup.waiting_ttl",
        "site.name",
        "site.logo",
        "site.color",
        "site.imprint",
        "site.privacy",
        "live.source",
        "live.deadline",
        "live.replay",
        "live.max_running",
        "live.recheck",
        "live.http.url",
        "live.http.timeout",
        "live.http.bearer",
        "live.command.argv",
        "live.command.env",
        "live.command.timeout",
        "steps.code_digits",
        "steps.code_ttl",
        "steps.resend_after",
        "steps.max_resends",
        "steps.cycle_ttl",
        "steps.user_id_prefix",
        "steps.identity_secure_key",
        "steps.require_token",
        "steps.reveal_state",
        "steps.pepper",
        "steps.claim_ttl",
        "steps.verified_ttl",
        "steps.daily_tries_per_contact",
        "steps.daily_codes_per_contact",
        "steps.daily_codes_per_address",
        "steps.daily_codes_per_prefix",
        "steps.daily_contacts_per_address",
        "captcha.kind",
        "captcha.doors",
        "directory.trusted_key",
        "directory.pending_ttl",
        "directory.reveal_existing",
        "ledger.kind",
        "ledger.antelope.url",
        "ledger.antelope.chain_id",
        "ledger.antelope.creator",
        "ledger.antelope.permission",
        "ledger.antelope.private_key",
        "ledger.antelope.contract",
        "ledger.antelope.ram_bytes",
        "ledger.antelope.stake_net",
        "ledger.antelope.stake_cpu",
        "ledger.antelope.expiration",
        "ledger.antelope.timeout",
        "rooms.event_retention",
        "rooms.max_members",
        "rooms.max_sockets",
        "rooms.socket_queue",
        "rooms.presence_grace",
        "rooms.consent",
        "rooms.suggest",
        "rooms.daily_posts",
        "rooms.daily_rooms",
        "rooms.daily_bytes",
        "audit.keep",
        "webhook.allow_private",
        "webhook.timeout",
        "webhook.before_sign_up.url",
        "webhook.before_sign_up.secret",
        "webhook.before_sign_up.timeout",
        "webhook.before_sign_up.fail",
        "push.enabled",
        "push.contact",
        "push.ttl",
        "push.wait",
        "push.allow_private",
        "password.time_cost",
        "password.memory",
        "password.parallelism",
        "password.max_memory",
        "limits.enabled",
        "log.format",
        "log.file",
    ]
)


class SettingsChange(msgspec.Struct, frozen=True):
    """How settings differ from those in force. settings: to be in force; what needs a restart is as before.

    taken, needs_restart: the names of settings that differ.
    """

    settings: Settings
    taken: tuple[str, ...]
    needs_restart: tuple[str, ...]


def change(old: Settings, new: Settings) -> SettingsChange:
    """What a reload makes of other settings."""
    differing = tuple(_differing(old, new))
    taken = tuple(keys for keys in differing if _is_taken(keys, old, new))
    return SettingsChange(
        settings=_merged(old, new, frozenset(taken)),
        taken=tuple(map(".".join, taken)),
        needs_restart=tuple(".".join(keys) for keys in differing if keys not in taken),
    )


def _is_taken(keys: Keys, old: Settings, new: Settings) -> bool:
    """Two kinds of changes to settings that are taken otherwise would add routes, or TLS, to a server that runs."""
    if keys[:2] == ("signup", "doors"):
        return "off" not in (_value(old, keys), _value(new, keys))
    if keys[0] == "server" and keys[1].startswith("tls_"):
        return bool(old.server.tls_cert) == bool(new.server.tls_cert)
    return ".".join(keys) in RELOADED


def _differing(old: Section, new: Section, at: Keys = ()) -> Iterator[Keys]:
    for field in msgspec.structs.fields(old):
        mine, other = getattr(old, field.name), getattr(new, field.name)
        if isinstance(mine, Section):
            yield from _differing(mine, other, (*at, field.encode_name))
        elif mine != other:
            yield (*at, field.encode_name)


def _merged(old: Kind, new: Kind, taken: frozenset[Keys], at: Keys = ()) -> Kind:
    values = {}
    for field in msgspec.structs.fields(old):
        keys, mine, other = (*at, field.encode_name), getattr(old, field.name), getattr(new, field.name)
        if isinstance(mine, Section):
            values[field.name] = _merged(mine, other, taken, keys)
        else:
            values[field.name] = other if keys in taken else mine
    return type(old)(**values)


def _value(section: Section, keys: Keys) -> object:
    found: object = section
    for key in keys:
        found = getattr(found, key)
    return found
