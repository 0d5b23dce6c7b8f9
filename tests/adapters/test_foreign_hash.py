"""Password hashes of other software, as that software made them, and what is refused for its cost."""

import bcrypt
import pytest

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.foreign_hash import adopt_hash, foreign_memory
from regserver.domain.imported_person import AdoptedHash, UnusableHash
from regserver.ports.password_hasher import PasswordMatch

PASSWORD = "correct horse"
HASHER = Argon2Hasher(time_cost=1, memory=1 << 16, parallelism=1, max_memory=1 << 24)
MOST = foreign_memory(1 << 28)

HASHES = {
    # openssl passwd -6, -5, -1, -apr1
    "sha512-crypt": "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
    "sha256-crypt": "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/",
    "md5-crypt": "$1$saltsalt$NuzA7WTAelpl95xgBGWN60",
    "Apache": "$apr1$saltsalt$EGVZDNN6gOqijy.tv9axG/",
    # LDAP
    "SSHA": "{SSHA}awc/Cj0kafyFd5d8fGn07xoHBJJzYWx0c2FsdA==",
    "SSHA512": "{SSHA512}50rsRNBf8j3I5xE+QwaHdFyMhOzITssZ8BB3UxwQ+SI1JKygYm6ZeRYTDuUyFZIIqDonoTuXwB0Z/MAPhgQCFHNhbHRzYWx0",
    "CRYPT": "{CRYPT}$1$saltsalt$NuzA7WTAelpl95xgBGWN60",
    # the package bcrypt, and PHP's spelling of it
    "bcrypt": "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "bcrypt of PHP": "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    "bcrypt of Django": "bcrypt$$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
    # Django and passlib
    "pbkdf2 of Django": "pbkdf2_sha256$1000$saltsalt$qQDPSZa3Ormyy9oK1Pu0ZLLwP2Svzmx3yu8OvDdq/J0=",
    "pbkdf2 of passlib": "$pbkdf2-sha512$1000$c2FsdHNhbHQ$.sUSD8jw4f8ns7m9b7kj8PeJLe8lJXO8Am09BLgO79kST9D"
    "/Ija5aKINGF5Xg7hkKXw1.fNhBzzJP3eIXcWXww",
    "scrypt of passlib": "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$ZGeSwropSvEgLQU1pjltINKrRvmEBSnohdqYXUe5EZ8",
    # werkzeug.security.generate_password_hash
    "pbkdf2 of Flask": "pbkdf2:sha256:1000$PbAJRe2kLhmdQgWu$f1f0da6a3e090dd49abeafe84d203bad64f13c0740dd66eada63b6e347240608",
    "scrypt of Flask": "scrypt:1024:8:1$bLh0oDRZFippgQ1h$ded873492a0f1e260993d20e0dc03e4aff4489261fd4924f587c05c14105bba4d6"
    "4d1f0e1b0513a8d5f3a29ec6a0e6c29313b4b8e6ad6cee2e0fedee004f7701",
    # argon2-cffi, and as Django wraps it
    "argon2i": "$argon2i$v=19$m=64,t=1,p=1$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og",
    "argon2 of Django": "argon2$argon2i$v=19$m=64,t=1,p=1$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og",
}


@pytest.mark.parametrize("kind", HASHES)
async def test_the_right_password_matches_and_is_to_be_renewed(kind: str) -> None:
    adopted = adopt_hash(f" {HASHES[kind]}\n", MOST)
    assert isinstance(adopted, AdoptedHash)
    assert PASSWORD not in repr(adopted)
    assert "$" not in repr(adopted)
    assert await HASHER.verify(PASSWORD, adopted.encoded) is PasswordMatch.OUTDATED
    for wrong in ("", "Correct horse", PASSWORD + "\0", "\0", "\ud800", "x" * 300, "пароль"):
        assert await HASHER.verify(wrong, adopted.encoded) is PasswordMatch.WRONG, wrong


async def test_bcrypt_goes_on_knowing_72_bytes_and_ours_all() -> None:
    long = bcrypt.hashpw(b"x" * 72, b"$2b$04$abcdefghijklmnopqrstuu").decode()
    assert await HASHER.verify("x" * 80, long) is PasswordMatch.OUTDATED
    assert await HASHER.verify("x" * 80, await HASHER.hash("x" * 72)) is PasswordMatch.WRONG


@pytest.mark.parametrize(
    "encoded",
    [
        "secret",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$2b$04$short",
        "$6$saltsalt$",
        "$1$",
        "$argon2id$v=19$m=x,t=1,p=1$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og",
        "$argon2id$v=19$m=8,t=1,p=9$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og",
        "$argon2id$v=19$m=64,t=0,p=1$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og",
        "scrypt:1000:8:1$salt$" + "0" * 128,
        "scrypt:1024:0:1$salt$" + "0" * 128,
        "pbkdf2:sha256:0$salt$" + "0" * 64,
        "{SSHA}",
        "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
        "pbkdf2_sha256$abc$salt$x",
        "$6$" + "x" * 2000,
        "пароль",
    ],
)
async def test_what_is_no_hash_that_is_known_is_refused(encoded: str) -> None:
    assert adopt_hash(encoded, MOST) == UnusableHash("this kind of hash is not known, or it is damaged")
    assert await HASHER.verify(PASSWORD, encoded) is PasswordMatch.WRONG


SHA512 = HASHES["sha512-crypt"].removeprefix("$6$")
ARGON = "$NtObQ1EYafRZsw8qhfM7vA$9nC8pBEsY1aLmYkTRYeVLhbgdqWgGYiVkrt/6xPv+Og"
SCRYPT = "$c2FsdHNhbHQ$ZGeSwropSvEgLQU1pjltINKrRvmEBSnohdqYXUe5EZ8"


@pytest.mark.parametrize(
    "encoded",
    [
        f"$6$rounds=1000001${SHA512}",
        f"$6$rounds=999999999${SHA512}",
        HASHES["bcrypt"].replace("$04$", "$15$"),
        HASHES["bcrypt"].replace("$04$", "$31$"),
        HASHES["pbkdf2 of Django"].replace("1000", "2000001"),
        HASHES["pbkdf2 of passlib"].replace("$1000$", "$4000000000$"),
        HASHES["pbkdf2 of Flask"].replace("1000", "9999999"),
        f"$scrypt$ln=14,r=8,p=1000{SCRYPT}",
        HASHES["scrypt of Flask"].replace("1024:8:1$", "1024:8:600$"),
        f"$argon2id$v=19$m=65536,t=17,p=1{ARGON}",
    ],
)
def test_too_many_rounds_are_refused(encoded: str) -> None:
    assert adopt_hash(encoded, MOST) == UnusableHash("comparing it takes too long: it has too many rounds")


@pytest.mark.parametrize(
    "encoded",
    [
        f"$argon2id$v=19$m=65537,t=1,p=1{ARGON}",
        f"$argon2id$v=19$m=999999999,t=1,p=1{ARGON}",
        f"$scrypt$ln=17,r=8,p=1{SCRYPT}",
        f"$scrypt$ln=31,r=8,p=1{SCRYPT}",
        HASHES["scrypt of Flask"].replace("1024:8:1$", "16777216:8:1$"),
    ],
)
def test_too_much_memory_is_refused(encoded: str) -> None:
    refused = adopt_hash(encoded, MOST)
    assert isinstance(refused, UnusableHash)
    assert refused.reason.startswith("comparing it takes ")
    assert refused.reason.endswith("KiB of memory, and password.max_memory allows 65536")


@pytest.mark.parametrize(
    "encoded",
    [
        f"$argon2id$v=19$m=65536,t=3,p=4{ARGON}",
        f"$scrypt$ln=16,r=8,p=1{SCRYPT}",
        f"$6$rounds=656000${SHA512}",
        HASHES["bcrypt"].replace("$04$", "$12$"),
        HASHES["pbkdf2 of Django"].replace("1000", "1200000"),
        HASHES["scrypt of Flask"].replace("1024:8:1$", "32768:8:1$"),
    ],
)
def test_the_usual_costs_are_taken(encoded: str) -> None:
    assert adopt_hash(encoded, MOST) == AdoptedHash(encoded)


async def test_a_hash_of_more_memory_than_ours_is_compared() -> None:
    large = HASHES["scrypt of passlib"]
    small = Argon2Hasher(time_cost=1, memory=1 << 13, parallelism=1, max_memory=1 << 24)
    assert await small.verify(PASSWORD, large) is PasswordMatch.OUTDATED
    assert await small.verify(PASSWORD, HASHES["argon2i"]) is PasswordMatch.OUTDATED
