"""All settings with their types, ranges and defaults. config/regserver.toml explains them to operators.

`check` has the conditions that a type and a range cannot express.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from regserver.config.fault import Origins
from regserver.config.live import LiveSection
from regserver.config.provider import (
    AuditSection,
    CaptchaSection,
    FanoutSection,
    LedgerSection,
    LogSection,
    MailSection,
    PushSection,
    SmsSection,
)
from regserver.config.section import Secret, Section, unguessable, within
from regserver.config.site import SiteSection
from regserver.config.unit import GIB, KIB, MIB, Size
from regserver.config.webhook import WebhookSection
from regserver.domain.address import ProxyFields
from regserver.domain.email import read_domain
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Duration
from regserver.domain.link import LINK_LIFE
from regserver.domain.sign_up_policy import SignUpMode, SignUpPolicy

YEARS = 3650 * DAY
"""Practically for ever, and still an instant that the store can hold."""


class Bounds(Section, frozen=True):
    """How much one client may send, and how long it may take; serving's FrontLimits says what happens at each bound."""

    target: Annotated[Size, within(256, 64 * KIB)] = Size(8 * KIB)
    head: Annotated[Size, within(KIB, 64 * KIB)] = Size(16 * KIB)
    header_count: Annotated[int, within(10, 1000)] = 100
    body: Annotated[Size, within(KIB, MIB)] = Size(64 * KIB)
    message: Annotated[Size, within(125, MIB)] = Size(64 * KIB)
    tls_timeout: Annotated[Duration, within(SECOND, MINUTE)] = Duration(10 * SECOND)
    head_timeout: Annotated[Duration, within(SECOND, 10 * MINUTE)] = Duration(10 * SECOND)
    body_timeout: Annotated[Duration, within(SECOND, 10 * MINUTE)] = Duration(20 * SECOND)
    idle_timeout: Annotated[Duration, within(SECOND, HOUR)] = Duration(75 * SECOND)
    write_timeout: Annotated[Duration, within(SECOND, 10 * MINUTE)] = Duration(20 * SECOND)
    least_rate: Annotated[Size, within(1, GIB)] = Size(8 * KIB)
    held: Annotated[Size, within(MIB, 1024 * GIB)] = Size(128 * MIB)
    held_per_address: Annotated[Size, within(MIB, 1024 * GIB)] = Size(16 * MIB)
    held_per_connection: Annotated[Size, within(MIB, 1024 * GIB)] = Size(4 * MIB)
    ping_interval: Annotated[Duration, within(SECOND, HOUR)] = Duration(15 * SECOND)
    pong_timeout: Annotated[Duration, within(SECOND // 10, HOUR)] = Duration(10 * SECOND)


class ServerSection(Section, frozen=True):
    """Addresses, proxies, TLS and the bounds of the front door.

    data: the folder of the state; "": that of the configuration. key: the file of the server's own key; "": beside the
    database, which is for SQLite alone. outbound_proxy: by which captcha and SMS services and a chain's node are asked; "" for none.
    drain: how long a node that is told to stop serves on, while it says that it is not ready. mailbox: whether the page shows what would be sent; on loopback addresses alone.
    """

    bind: tuple[str, ...] = ("127.0.0.1:8080",)
    data: str = ""
    key: str = ""
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    proxy_fields: ProxyFields = "x-forwarded"
    outbound_proxy: Secret = Secret("")
    cors_origins: tuple[str, ...] = ()
    cors_headers: tuple[str, ...] = ()
    hsts: Annotated[Duration, within(0, YEARS)] = Duration(365 * DAY)
    security_contact: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    grace: Annotated[Duration, within(0, HOUR)] = Duration(5 * SECOND)
    drain: Annotated[Duration, within(0, 10 * MINUTE)] = Duration(0)
    http2: bool = True
    max_connections: Annotated[int, within(1, 1_000_000)] = 20_000
    max_connections_per_address: Annotated[int, within(1, 1_000_000)] = 1_000
    test_mode: bool = False
    mailbox: bool = False
    bounds: Bounds = Bounds()


class OperationsSection(Section, frozen=True):
    """Who may read metrics and the details of readiness, besides loopback. bearer: a token; "" for none. page: whether there is the
    operator's page.
    """

    networks: tuple[str, ...] = ()
    bearer: Secret = Secret("")
    page: bool = True


class StoreSection(Section, frozen=True):
    """url: see `store_url`. Of SQLite: busy_timeout, of a write that waits for another program; min_free, of the disk, in bytes.

    Of PostgreSQL: password, unless the URL has one; pool_size, connections of this node; pool_timeout, of a request that
    waits for one; statement_timeout, of one statement.
    """

    url: Secret = Secret("sqlite:regserver.db")
    busy_timeout: Annotated[Duration, within(0, 10 * MINUTE)] = Duration(5 * SECOND)
    min_free: Annotated[Size, within(0, 1 << 50)] = Size(100 * MIB)
    password: Secret = Secret("")
    pool_size: Annotated[int, within(2, 1000)] = 16
    pool_timeout: Annotated[Duration, within(SECOND // 10, MINUTE)] = Duration(5 * SECOND)
    statement_timeout: Annotated[Duration, within(SECOND, 10 * MINUTE)] = Duration(10 * SECOND)


class BackupSection(Section, frozen=True):
    """Backups that the server makes. every: how old the newest one becomes; 0 for none. keep: how many. folder: where."""

    every: Annotated[Duration, within(0, 366 * DAY)] = Duration(0)
    keep: Annotated[int, within(1, 10_000)] = 7
    folder: str = "backup"


class NodeSection(Section, frozen=True):
    """name: of this process, unique among those that share the store, and the same after a restart; "": the host's name.

    lease: how long after its last sign of life a node that has not ended by itself keeps its name.
    """

    name: str = ""
    lease: Annotated[Duration, within(SECOND, 10 * MINUTE)] = Duration(10 * SECOND)


class LoginSection(Section, frozen=True):
    """Tokens, and who may sign up at POST /login/register. named_tokens: of one account at once."""

    token_ttl: Annotated[Duration, within(SECOND, YEARS)] = Duration(10 * DAY)
    named_tokens: Annotated[int, within(0, 10_000)] = 50
    named_token_ttl: Annotated[Duration, within(SECOND, YEARS)] = Duration(90 * DAY)
    named_token_max_ttl: Annotated[Duration, within(SECOND, YEARS)] = Duration(366 * DAY)
    deletion_grace: Annotated[Duration, within(0, YEARS)] = Duration(7 * DAY)
    open_registration: bool = True
    query_token: bool = True
    verify_email: Literal["ask", "require"] = "ask"


class SignupDoors(Section, frozen=True):
    """The mode of each door; "" is signup.mode, and for the live door "open": its gate is its source."""

    rooms: Literal[SignUpMode, ""] = ""
    steps: Literal[SignUpMode, ""] = ""
    directory: Literal[SignUpMode, ""] = ""
    live: Literal[SignUpMode, ""] = ""


class SignupSection(Section, frozen=True):
    """Who may sign up. domains: of addresses that need neither invitation nor approval. operator: who is asked for approvals.

    operator_language: of the mails to them. waiting_ttl: how long an account may wait. daily_*: accounts that may begin to
    wait in 24 hours.
    """

    mode: Literal["open", "invite", "approve", "closed"] = "open"
    domains: tuple[str, ...] = ()
    operator: str = ""
    operator_language: Literal["en", "fr", "ru"] = "en"
    waiting_ttl: Annotated[Duration, within(MINUTE, YEARS)] = LINK_LIFE["approve"]
    daily_waiting: Annotated[int, within(1, 1_000_000)] = 1000
    daily_waiting_per_address: Annotated[int, within(1, 1_000_000)] = 100
    doors: SignupDoors = SignupDoors()


class StepsSection(Section, frozen=True):
    """Registration by steps: its codes, its times and its daily caps."""

    code_digits: Annotated[int, within(4, 10)] = 6
    code_ttl: Annotated[Duration, within(SECOND, YEARS)] = Duration(10 * MINUTE)
    resend_after: Annotated[Duration, within(0, DAY)] = Duration(45 * SECOND)
    max_resends: Annotated[int, within(0, 100)] = 3
    cycle_ttl: Annotated[Duration, within(SECOND, YEARS)] = DAY
    user_id_prefix: str = "reg1"
    identity_secure_key: Annotated[Secret, unguessable()] = Secret("")
    require_token: bool = False
    reveal_state: bool = True
    pepper: Annotated[Secret, unguessable()] = Secret("")
    claim_ttl: Annotated[Duration, within(SECOND, YEARS)] = DAY
    verified_ttl: Annotated[Duration, within(SECOND, YEARS)] = Duration(7 * DAY)
    daily_tries_per_contact: Annotated[int, within(1, 1_000_000)] = 10
    daily_codes_per_contact: Annotated[int, within(1, 1_000_000)] = 10
    daily_codes_per_address: Annotated[int, within(1, 1_000_000)] = 100
    daily_codes_per_prefix: Annotated[int, within(1, 1_000_000_000)] = 5000
    daily_contacts_per_address: Annotated[int, within(1, 1_000_000)] = 200


class DirectorySection(Section, frozen=True):
    """servers: the hosts of users. trusted_key: a bearer token that skips the confirmation by mail."""

    servers: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ("admin", "root")
    trusted_key: Annotated[Secret, unguessable()] = Secret("")
    pending_ttl: Annotated[Duration, within(SECOND, YEARS)] = DAY
    reveal_existing: bool = True


class RoomsSection(Section, frozen=True):
    """event_retention: how far back recovery reaches. socket_queue: bytes that may wait for one socket.

    max_sockets: of one account.
    presence_grace: how long somebody without a socket stays present.
    consent: whether people are asked before they become members. suggest: who is suggested by the beginning of a name. daily_*: what one account may add in a day (UTC); 0 for
    no bound.
    """

    event_retention: Annotated[Duration, within(SECOND, YEARS)] = Duration(7 * DAY)
    max_members: Annotated[int, within(2, 1_000_000)] = 5000
    max_sockets: Annotated[int, within(1, 1_000_000)] = 100
    socket_queue: Annotated[Size, within(4 * KIB, GIB)] = Size(256 * KIB)
    presence_grace: Annotated[Duration, within(0, HOUR)] = Duration(10 * SECOND)
    consent: Literal["off", "ask"] = "off"
    suggest: Literal["off", "rooms", "all"] = "off"
    daily_posts: Annotated[int, within(0, 1_000_000_000)] = 20_000
    daily_rooms: Annotated[int, within(0, 1_000_000_000)] = 500
    daily_bytes: Annotated[Size, within(0, 1 << 50)] = Size(256 * MIB)


class PasswordSection(Section, frozen=True):
    """argon2id; the defaults are those of the OWASP Password Storage Cheat Sheet."""

    time_cost: Annotated[int, within(1, 100)] = 2
    memory: Annotated[Size, within(512 * KIB, 4 * GIB)] = Size(19 * MIB)
    parallelism: Annotated[int, within(1, 64)] = 1
    max_memory: Annotated[Size, within(512 * KIB, 1 << 50)] = Size(256 * MIB)


class LimitsSection(Section, frozen=True):
    """routes: rates that replace those of web/http/rate_limit.py, such as {"sign_in": "30/1m"}."""

    enabled: bool = True
    routes: dict[str, str] = msgspec.field(default_factory=dict)


class Settings(Section, frozen=True):
    """All settings, by section."""

    server: ServerSection = ServerSection()
    operations: OperationsSection = OperationsSection()
    store: StoreSection = StoreSection()
    backup: BackupSection = BackupSection()
    fanout: FanoutSection = FanoutSection()
    node: NodeSection = NodeSection()
    login: LoginSection = LoginSection()
    signup: SignupSection = SignupSection()
    site: SiteSection = SiteSection()
    live: LiveSection = LiveSection()
    steps: StepsSection = StepsSection()
    captcha: CaptchaSection = CaptchaSection()
    sms: SmsSection = SmsSection()
    mail: MailSection = MailSection()
    directory: DirectorySection = DirectorySection()
    ledger: LedgerSection = LedgerSection()
    rooms: RoomsSection = RoomsSection()
    webhook: WebhookSection = WebhookSection()
    push: PushSection = PushSection()
    password: PasswordSection = PasswordSection()
    limits: LimitsSection = LimitsSection()
    audit: AuditSection = AuditSection()
    log: LogSection = LogSection()


def sign_up_policy(settings: Settings) -> SignUpPolicy:
    """Who may sign up where. login.open_registration = false closes the room door, unless it is off."""
    whole, doors = settings.signup.mode, settings.signup.doors
    rooms = doors.rooms or whole
    if not settings.login.open_registration and rooms != "off":
        rooms = "closed"
    return SignUpPolicy(
        {
            "rooms": rooms,
            "steps": doors.steps or whole,
            "directory": doors.directory or whole,
            "live": doors.live or "open",
        },
        frozenset(filter(None, map(read_domain, settings.signup.domains))),
    )


class Loaded(msgspec.Struct, frozen=True):
    """Settings. file: where they were read from; None for built-in defaults. origins: where each value stands."""

    settings: Settings
    file: Path | None
    origins: Origins = {}

    @property
    def folder(self) -> Path:
        """That of the file; without a file, the working directory."""
        return (self.file.parent if self.file else Path()).absolute()

    @property
    def data(self) -> Path:
        """The folder of the state: relative paths of the store and its key start here."""
        return (self.folder / self.settings.server.data).resolve()  # as people write it: without ".."

    @property
    def binds(self) -> tuple[str, ...]:
        """The addresses to listen on; those of unix sockets are absolute."""
        return tuple(
            f"unix:{self.resolve(bind.removeprefix('unix:'))}" if bind.startswith("unix:") else bind
            for bind in self.settings.server.bind
        )

    def resolve(self, path: str) -> Path:
        """A path in the configuration; a relative one starts at the folder of the file. The state's start at `data`."""
        return self.folder / path
