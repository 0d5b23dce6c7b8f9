"""The JSON messages of a source outside this process: both requests, and the answer to `verify`. Lines are in `ndjson`."""

import msgspec

from regserver.ports.source import Accepted, Subject, Unavailable, Verdict

MAX_ANSWER_BYTES = 64 * 1024
MAX_SUBJECT_LENGTH = 1024

_encode = msgspec.json.Encoder().encode


class _Answer(msgspec.Struct, frozen=True):
    subject: str


_decode = msgspec.json.Decoder(_Answer).decode


def verify_request(username: str, password: str) -> bytes:
    """Asks whether the password is right."""
    return _encode({"username": username, "password": password})


def profile_request(subject: Subject) -> bytes:
    """Asks for the lines of one registration."""
    return _encode({"subject": subject})


def read_answer(body: bytes) -> Verdict:
    """The answer to a `verify` that found the password right. A bad answer is not quoted, since it may hold a secret."""
    if len(body) > MAX_ANSWER_BYTES:
        return Unavailable(f"verify: an answer of more than {MAX_ANSWER_BYTES} bytes")
    try:
        subject = _decode(body).subject
    except msgspec.ValidationError as error:
        return Unavailable(f"verify: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unavailable("verify: the answer is not JSON in UTF-8")
    if not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        return Unavailable(f"verify: expected a subject of 1 to {MAX_SUBJECT_LENGTH} characters")
    return Accepted(Subject(subject))
