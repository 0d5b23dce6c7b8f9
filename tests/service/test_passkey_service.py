"""Passkeys against an authenticator in software: what signs in, and that one wrong field does not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from fido2 import cbor

from regserver.domain.outcome import (
    BadCredentials,
    BadPasskey,
    BadToken,
    PasskeyNotFound,
    PasskeyRefused,
    RecentSignInRequired,
    UserIsDeleted,
)
from regserver.domain.passkey import CHALLENGE_LIFE, MOST_PASSKEYS, PasskeySite
from regserver.domain.secret import SecretHash, hash_secret
from regserver.domain.session import RECENT_SIGN_IN
from regserver.ports.passkey_table import Passkey
from regserver.service.identity_service import SignedIn
from regserver.service.passkey_service import BAD_CHALLENGE, COUNTER, UNKNOWN, PasskeyService
from tests.authenticator import USER_PRESENT, USER_VERIFIED, Authenticator, Kind, b64, unb64
from tests.factor import open_factor_service
from tests.fake import SeededRandomness
from tests.guess import HOME
from tests.live_world import World, world
from tests.passkey import SITE, open_passkeys
from tests.service.test_factor_service import signed_up


class PasskeyWorld:
    """Ada and Bob, signed in; Ada has a passkey."""

    def __init__(self, here: World, passkeys: PasskeyService) -> None:
        self.here = here
        self.passkeys = passkeys
        self.ada: SecretHash
        self.bob: SecretHash
        self.key = Authenticator()

    async def options(self, token: SecretHash) -> Any:
        found = await self.passkeys.options(token, SITE, None, HOME)
        assert isinstance(found, dict)
        return found

    async def add(self, token: SecretHash, key: Authenticator, **wrong: Any) -> object:
        answer = key.make(await self.options(token), **wrong)
        return await self.passkeys.add(token, SITE, answer, "Key")

    def request(self) -> Any:
        found = self.passkeys.request(SITE)
        assert isinstance(found, dict)
        return found

    async def sign_in(self, answer: Any, site: PasskeySite | None = SITE) -> object:
        return await self.passkeys.sign_in(site, answer, HOME)


@asynccontextmanager
async def ada(folder: Path) -> AsyncIterator[PasskeyWorld]:
    async with world(folder) as here:
        it = PasskeyWorld(here, open_passkeys(here.store, here.clock, here.parts.identity, here.sockets))
        it.ada, it.bob = [hash_secret(await signed_up(here, name)) for name in ("ada", "bob")]
        assert isinstance(await it.add(it.ada, it.key), Passkey)
        yield it


@pytest.mark.parametrize("kind", ["ES256", "EdDSA", "RS256"])
async def test_a_passkey_signs_in(tmp_path: Path, kind: Kind) -> None:
    async with ada(tmp_path) as it:
        key = Authenticator(kind=kind)
        assert isinstance(await it.add(it.bob, key), Passkey)
        signed_in = await it.sign_in(key.answer(it.request()))
        assert isinstance(signed_in, SignedIn)
        assert isinstance(await it.sign_in(key.answer(it.request())), SignedIn)
        bob = await it.here.parts.identity.session(it.bob)
        assert signed_in.user_id == bob.account  # type: ignore[union-attr]


async def test_it_is_both_factors(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        here = it.here
        factors = open_factor_service(
            here.store, here.clock, here.parts.identity, here.sockets, SeededRandomness(9)
        )
        await factors.enrol(it.ada)
        signed_in = await it.sign_in(it.key.answer(it.request()))
        assert isinstance(signed_in, SignedIn)
        found = await factors.list(hash_secret(signed_in.token))
        assert [passkey.name for passkey in found.passkeys] == ["Key"]  # type: ignore[union-attr]
        assert found.passkeys[0].last_used_at == here.clock.now()  # type: ignore[union-attr]


MAKING = {
    "the kind of answer": {"type": "webauthn.get"},
    "the origin": {"origin": "http://localhost:8080"},
    "another site's origin": {"origin": "https://evil.example"},
    "the site": {"rp_id": "example.org"},
    "a challenge of nobody's": {"challenge": b64(bytes(56))},
    "nobody present": {"without": USER_PRESENT},
    "nobody verified": {"without": USER_VERIFIED},
    "no credential": {"without": 0x40},
    "a page inside another": {"cross_origin": True},
}


async def test_a_challenge_has_one_spelling(tmp_path: Path) -> None:
    """The last letter of 75 has two bits that mean nothing."""
    async with ada(tmp_path) as it:
        options = it.request()
        right = str(options["challenge"])
        assert unb64(right[:-1] + chr(ord(right[-1]) + 1)) == unb64(right)
        wrong = {**options, "challenge": right[:-1] + chr(ord(right[-1]) + 1)}
        assert isinstance(await it.sign_in(it.key.answer(wrong)), PasskeyRefused)
        assert isinstance(await it.sign_in(it.key.answer(options)), SignedIn)


async def test_an_old_session_needs_the_password_to_add_one(tmp_path: Path) -> None:
    """Or whoever finds its token makes a way in that outlives it."""
    async with ada(tmp_path) as it:
        it.here.clock.advance(RECENT_SIGN_IN)

        async def ask(password: str | None) -> object:
            return await it.passkeys.options(it.ada, SITE, password, HOME)

        assert await ask(None) == RecentSignInRequired()
        assert await ask("wrong") == BadCredentials()
        assert isinstance(await ask("right"), dict)
        again = await it.sign_in(it.key.answer(it.request()))
        assert isinstance(again, SignedIn)
        assert isinstance(await it.options(hash_secret(again.token)), dict)


@pytest.mark.parametrize("wrong", MAKING.values(), ids=list(MAKING))
async def test_one_wrong_field_adds_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with ada(tmp_path) as it:
        key = Authenticator()
        assert isinstance(await it.add(it.bob, key, **wrong), BadPasskey)
        assert await it.sign_in(key.answer(it.request())) == PasskeyRefused(UNKNOWN)
        assert isinstance(await it.add(it.bob, key), Passkey)


SIGNING = {
    "the kind of answer": {"type": "webauthn.create"},
    "the origin": {"origin": "https://localhost"},
    "another site's origin": {"origin": "https://evil.example"},
    "the site": {"rp_id": "example.org"},
    "a challenge of nobody's": {"challenge": b64(bytes(56))},
    "nobody present": {"without": USER_PRESENT},
    "nobody verified": {"without": USER_VERIFIED},
    "a page inside another": {"cross_origin": True},
    "the signature": {"signature": bytes(70)},
    "the credential": {"credential": bytes(32)},
    "the handle of another account": {"handle": bytes(32)},
    "the counter": {"count": 0},
}


@pytest.mark.parametrize("wrong", SIGNING.values(), ids=list(SIGNING))
async def test_one_wrong_field_signs_nobody_in(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with ada(tmp_path) as it:
        assert isinstance(await it.sign_in(it.key.answer(it.request(), **wrong)), PasskeyRefused)
        assert isinstance(await it.sign_in(it.key.answer(it.request())), SignedIn)


async def test_the_credential_of_another_account_is_of_no_use(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        bobs = Authenticator()
        await it.add(it.bob, bobs)
        refused = await it.sign_in(bobs.answer(it.request(), credential=it.key.credential))
        assert isinstance(refused, PasskeyRefused)
        refused = await it.sign_in(bobs.answer(it.request(), handle=it.key.handle))
        assert refused == PasskeyRefused(UNKNOWN)
        thief = Authenticator()
        thief.credential = it.key.credential
        assert isinstance(await it.add(it.bob, thief), BadPasskey), "the id is Ada's"


async def test_challenges_are_for_one_account_one_purpose_and_once(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        key, options = Authenticator(), await it.options(it.ada)
        made = key.make(options)
        assert await it.passkeys.add(it.bob, SITE, made, "x") == BadPasskey(BAD_CHALLENGE)
        request = {"challenge": options["challenge"], "rpId": "localhost"}
        assert await it.sign_in(it.key.answer(request)) == PasskeyRefused(BAD_CHALLENGE)
        asked = {**options, "challenge": it.request()["challenge"]}
        assert await it.passkeys.add(it.ada, SITE, key.make(asked), "x") == BadPasskey(BAD_CHALLENGE)
        assert isinstance(await it.passkeys.add(it.ada, SITE, made, "x"), Passkey)
        other = Authenticator().make(options)
        assert await it.passkeys.add(it.ada, SITE, other, "x") == BadPasskey(BAD_CHALLENGE)
        late = it.request()
        it.here.clock.advance(CHALLENGE_LIFE)
        assert await it.sign_in(it.key.answer(late)) == PasskeyRefused(BAD_CHALLENGE)


async def test_200_at_once_with_one_answer_are_one(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        answer = it.key.answer(it.request())
        outcomes: list[object] = []

        async def enter() -> None:
            outcomes.append(await it.sign_in(answer))

        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(enter)
        assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
        assert outcomes.count(PasskeyRefused(BAD_CHALLENGE)) == 199


async def test_a_counter_that_goes_back_is_refused_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with ada(tmp_path) as it:
        for count, expected in ((10, SignedIn), (10, PasskeyRefused), (9, PasskeyRefused), (11, SignedIn)):
            outcome = await it.sign_in(it.key.answer(it.request(), count=count))
            assert isinstance(outcome, expected)
            assert not isinstance(outcome, PasskeyRefused) or outcome.why == COUNTER
        assert caplog.text.count("went back") == 2


async def test_an_authenticator_without_a_counter_signs_in_again(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        key = Authenticator(counts=False)
        await it.add(it.bob, key)
        for _ in range(2):
            assert isinstance(await it.sign_in(key.answer(it.request())), SignedIn)


async def test_removal_ends_it_at_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        added = await it.add(it.ada, second := Authenticator())
        assert isinstance(added, Passkey)
        assert await it.passkeys.remove(it.bob, added.id) == PasskeyNotFound()
        assert await it.passkeys.remove(it.ada, added.id) is None
        assert await it.passkeys.remove(it.ada, added.id) == PasskeyNotFound()
        assert await it.passkeys.remove(it.ada, None) == PasskeyNotFound()
        assert await it.sign_in(second.answer(it.request())) == PasskeyRefused(UNKNOWN)
        assert isinstance(await it.sign_in(it.key.answer(it.request())), SignedIn)


async def test_changes_end_other_sessions(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        other = await it.sign_in(it.key.answer(it.request()))
        assert isinstance(other, SignedIn)
        await it.add(it.ada, Authenticator())
        assert await it.here.parts.identity.session(hash_secret(other.token)) == BadToken()
        assert not isinstance(await it.here.parts.identity.session(it.ada), BadToken)


async def test_a_deleted_account_is_not_signed_in(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        await it.here.deletion.delete(it.ada, None, HOME)
        assert await it.sign_in(it.key.answer(it.request())) == UserIsDeleted()


async def test_an_account_has_so_many_and_no_more(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        for _ in range(MOST_PASSKEYS - 1):
            assert isinstance(await it.add(it.ada, Authenticator()), Passkey)
        assert isinstance(await it.add(it.ada, Authenticator()), BadPasskey)


async def test_where_no_passkey_can_work_the_words_say_so(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        answer = it.key.answer(it.request())
        for refused in (
            await it.passkeys.options(it.ada, None, None, HOME),
            await it.passkeys.add(it.ada, None, answer, "x"),
            it.passkeys.request(None),
            await it.sign_in(answer, None),
        ):
            assert isinstance(refused, BadPasskey)
            assert "https" in refused.why


def nested(answer: dict[str, Any]) -> None:
    answer["response"]["attestationObject"] = b64(b"\x81" * 3000)


def lengthy(answer: dict[str, Any]) -> None:
    answer["response"]["attestationObject"] = b64(cbor.encode([0] * 40_000))


def numbers(answer: dict[str, Any]) -> None:
    answer["response"]["clientDataJSON"] = 5


def no_parts(answer: dict[str, Any]) -> None:
    answer["response"] = {}


def other_id(answer: dict[str, Any]) -> None:
    answer["id"] = answer["rawId"] = b64(bytes(32))


def other_algorithm(answer: dict[str, Any]) -> None:
    made = cbor.decode(unb64(answer["response"]["attestationObject"]))
    assert isinstance(made, dict)
    data = made["authData"]
    at = data.index(b"\x03\x26")  # COSE's alg: -7
    made["authData"] = data[:at] + b"\x03\x38\x22" + data[at + 2 :]  # -35: ES384
    answer["response"]["attestationObject"] = b64(cbor.encode(made))


@pytest.mark.parametrize("spoil", [nested, lengthy, numbers, no_parts, other_id, other_algorithm])
async def test_hostile_answers_are_refused(tmp_path: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    async with ada(tmp_path) as it:
        answer = Authenticator().make(await it.options(it.bob))
        spoil(answer)
        assert isinstance(await it.passkeys.add(it.bob, SITE, answer, "x"), BadPasskey)


async def test_only_answered_challenges_are_kept_and_not_for_long(tmp_path: Path) -> None:
    async with ada(tmp_path) as it:
        assert len({it.request()["challenge"] for _ in range(100)}) == 100
        it.here.clock.advance(CHALLENGE_LIFE)
        now = it.here.clock.now()
        assert await it.here.store.write(lambda transaction: transaction.passkeys.purge(now)) == 1, (
            "of adding"
        )
