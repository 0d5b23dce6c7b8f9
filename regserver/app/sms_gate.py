"""The SMS service with its guard: one for all doors that send codes, since the guard's bounds are of all together."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from regserver.adapters.provider_client import ProviderHttp
from regserver.app.outside import Outside
from regserver.app.part_reload import Prepared
from regserver.app.switch import SwitchedSms
from regserver.config import Loaded, Settings
from regserver.config.provider import SmsSection
from regserver.domain.contact import Pepper
from regserver.domain.phone import read_phone
from regserver.metric import Metrics, SmsCounter
from regserver.ports.sms import Sms
from regserver.service.sms_guard import SmsGuard, SmsPolicy

SmsTexts = dict[str, str]
"""By language; changed in place at a reload."""


class SmsGate:
    """The service in force, and the texts of its messages."""

    def __init__(self, sms: SwitchedSms, guard: SmsGuard, build: Callable[[SmsSection], Sms]) -> None:
        self.sms: Sms = sms
        self.guard = guard
        self._switch = sms
        self._build = build
        self._texts: list[tuple[SmsTexts, Mapping[str, str]]] = []

    def texts(self, section: SmsSection, built_in: Mapping[str, str]) -> SmsTexts:
        """The texts of one kind of message: the operator's for all languages, or the built-in ones."""
        texts: SmsTexts = {}
        self._texts.append((texts, built_in))
        _write_texts(texts, section.text, built_in)
        return texts

    async def prepare(self, loaded: Loaded) -> Prepared:
        """Takes another provider, other bounds and other texts."""
        sms, policy = self._build(loaded.settings.sms), _policy(loaded.settings)

        def apply() -> None:
            self._switch.take(sms)
            self.guard.take(policy)
            for texts, built_in in self._texts:
                _write_texts(texts, loaded.settings.sms.text, built_in)

        return Prepared(apply)


def _write_texts(texts: SmsTexts, own: str, built_in: Mapping[str, str]) -> None:
    texts.update({language: own or text for language, text in built_in.items()})


async def open_sms(
    stack: AsyncExitStack, settings: Settings, outside: Outside, pepper: Pepper, metrics: Metrics
) -> SmsGate:
    """The configured service."""
    client = await stack.enter_async_context(ProviderHttp(settings.server.outbound_proxy))
    guard = SmsGuard(pepper, _policy(settings), SmsCounter(metrics).count)

    def build(section: SmsSection) -> Sms:
        return outside.sms(section, client, outside.randomness)

    return SmsGate(SwitchedSms(build(settings.sms)), guard, build)


def _policy(settings: Settings) -> SmsPolicy:
    """The bounds of SMS. Messages that are only logged cost nothing and have none."""
    sms = settings.sms
    return SmsPolicy(
        countries=frozenset(sms.countries),
        daily_max=sms.daily_max,
        guarded=sms.used_kinds != {"log"},
        test=read_test_numbers(sms) if settings.server.test_mode else {},
    )


def read_test_numbers(sms: SmsSection) -> dict[str, str]:
    """The normalised test numbers with their codes."""
    read = {read_phone(number): str(code) for number, code in sms.test.items()}
    return {number: code for number, code in read.items() if number is not None}
