"""What may be set, and what it is by default. The annotated form for people is config/regserver.toml."""

from pathlib import Path
from typing import Literal

import msgspec

from regserver.domain.instant import Duration


class Size(int):
    """A number of bytes, read from "256KiB"."""

    __slots__ = ()


class Secret(str):
    """A string that does not show itself: neither in repr nor in `config show`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')" if self else "Secret('')"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class Bounds(Section, frozen=True):
    """What one client may send, and how long it may take. What happens at each stands at serving's FrontLimits."""

    target: Size = Size(8 * 1024)
    head: Size = Size(16 * 1024)
    header_count: int = 100
    body: Size = Size(64 * 1024)
    message: Size = Size(64 * 1024)
    tls_timeout: Duration = Duration(10_000)
    head_timeout: Duration = Duration(10_000)
    body_timeout: Duration = Duration(20_000)
    idle_timeout: Duration = Duration(75_000)
    write_timeout: Duration = Duration(20_000)
    ping_interval: Duration = Duration(15_000)
    pong_timeout: Duration = Duration(10_000)


class ServerSection(Section, frozen=True):
    bind: tuple[str, ...] = ("127.0.0.1:8080",)
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    grace: Duration = Duration(5_000)
    max_connections: int = 20_000
    max_connections_per_address: int = 1_000
    bounds: Bounds = Bounds()


class StoreSection(Section, frozen=True):
    url: Secret = Secret("sqlite:regserver.db")


class FanoutSection(Section, frozen=True):
    engine: Literal["auto", "local"] = "auto"


class LoginSection(Section, frozen=True):
    token_ttl: Duration = Duration(10 * 86_400_000)
    open_registration: bool = True
    query_token: bool = True


class LiveFile(Section, frozen=True):
    path: str = "roster.toml"


class LiveHttp(Section, frozen=True):
    url: str = ""
    timeout: Duration = Duration(30_000)
    bearer: Secret = Secret("")


class LiveCommand(Section, frozen=True):
    argv: tuple[str, ...] = ()
    timeout: Duration = Duration(30_000)


class LiveSection(Section, frozen=True):
    source: Literal["file", "http", "command", "none"] = "file"
    deadline: Duration = Duration(60_000)
    replay: Duration = Duration(60_000)
    max_running: int = 200
    file: LiveFile = LiveFile()
    http: LiveHttp = LiveHttp()
    command: LiveCommand = LiveCommand()


class StepsSection(Section, frozen=True):
    code_digits: int = 6
    code_ttl: Duration = Duration(600_000)
    resend_after: Duration = Duration(45_000)
    max_resends: int = 3
    cycle_ttl: Duration = Duration(86_400_000)
    user_id_prefix: str = "reg1"
    identity_secure_key: Secret = Secret("")
    require_token: bool = False
    pepper: Secret = Secret("")
    claim_ttl: Duration = Duration(86_400_000)
    verified_ttl: Duration = Duration(7 * 86_400_000)
    daily_tries_per_contact: int = 10
    daily_codes_per_contact: int = 10
    daily_codes_per_address: int = 100
    daily_codes_per_prefix: int = 5000


class CaptchaSection(Section, frozen=True):
    kind: Literal["none", "recaptcha", "hcaptcha", "turnstile"] = "none"
    url: str = ""
    timeout: Duration = Duration(5_000)
    secret_web: Secret = Secret("")
    secret_android: Secret = Secret("")
    secret_ios: Secret = Secret("")


class SmsHttp(Section, frozen=True):
    url: str = ""
    method: str = "POST"
    headers: dict[str, Secret] = {}
    body: str = '{"to": "{phone}", "text": "{message}"}'


class SmsTwilio(Section, frozen=True, rename={"from_": "from"}):
    account_sid: str = ""
    auth_token: Secret = Secret("")
    from_: str = ""
    messaging_service_sid: str = ""
    url: str = "https://api.twilio.com"


class SmsVonage(Section, frozen=True, rename={"from_": "from"}):
    api_key: str = ""
    api_secret: Secret = Secret("")
    from_: str = ""
    url: str = "https://rest.nexmo.com"


class SmsSection(Section, frozen=True):
    """weights: several providers at once, each with its share; the next is tried when one fails. Empty: `kind` alone."""

    kind: Literal["log", "http", "twilio", "vonage"] = "log"
    weights: dict[Literal["log", "http", "twilio", "vonage"], int] = {}
    text: str = "{code} is your registration code. Do not share it with anyone."
    timeout: Duration = Duration(10_000)
    http: SmsHttp = SmsHttp()
    twilio: SmsTwilio = SmsTwilio()
    vonage: SmsVonage = SmsVonage()


class MailSection(Section, frozen=True, rename={"from_": "from"}):
    smtp: Secret = Secret("log:")
    from_: str = "regserver@localhost"
    templates: str = ""


class DirectorySection(Section, frozen=True):
    servers: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ("admin", "root")
    trusted_key: Secret = Secret("")
    pending_ttl: Duration = Duration(86_400_000)
    reveal_existing: bool = True


class LedgerAntelope(Section, frozen=True):
    """url: of a node. creator: the account that makes the others, with its permission and private key (WIF or PVT_K1_).

    contract: the account of the system contract. ram_bytes, stake_net, stake_cpu: what it wants bought for a new
    account; 0 and "" where it asks for none.
    """

    url: str = ""
    creator: str = ""
    permission: str = "active"
    private_key: Secret = Secret("")
    contract: str = "eosio"
    ram_bytes: int = 0
    stake_net: str = ""
    stake_cpu: str = ""
    expiration: Duration = Duration(120_000)
    timeout: Duration = Duration(10_000)


class LedgerSection(Section, frozen=True):
    kind: Literal["embedded", "antelope"] = "embedded"
    antelope: LedgerAntelope = LedgerAntelope()


class RoomsSection(Section, frozen=True):
    event_retention: Duration = Duration(7 * 86_400_000)
    max_members: int = 5000
    socket_queue: Size = Size(256 * 1024)


class PasswordSection(Section, frozen=True):
    """argon2id; the defaults are those of the OWASP Password Storage Cheat Sheet."""

    time_cost: int = 2
    memory: Size = Size(19 * 1024 * 1024)
    parallelism: int = 1
    max_memory: Size = Size(256 * 1024 * 1024)


class LimitsSection(Section, frozen=True):
    enabled: bool = True
    routes: dict[str, str] = {}


class LogSection(Section, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(Section, frozen=True):
    """All settings. `folder` is where the file stood: relative paths of the roster and templates start there."""

    server: ServerSection = ServerSection()
    store: StoreSection = StoreSection()
    fanout: FanoutSection = FanoutSection()
    login: LoginSection = LoginSection()
    live: LiveSection = LiveSection()
    steps: StepsSection = StepsSection()
    captcha: CaptchaSection = CaptchaSection()
    sms: SmsSection = SmsSection()
    mail: MailSection = MailSection()
    directory: DirectorySection = DirectorySection()
    ledger: LedgerSection = LedgerSection()
    rooms: RoomsSection = RoomsSection()
    password: PasswordSection = PasswordSection()
    limits: LimitsSection = LimitsSection()
    log: LogSection = LogSection()


class Loaded(msgspec.Struct, frozen=True):
    """Settings, and the file they came from (None: built-in defaults)."""

    settings: Settings
    file: Path | None

    def resolve(self, path: str) -> Path:
        """A path of the configuration: relative ones start at the file's folder."""
        return (self.file.parent if self.file else Path()) / path
