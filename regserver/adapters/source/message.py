"""The JSON messages of the http and command sources: both requests, and the answer to `verify`. `ndjson` has the lines."""

from codecs import BOM_UTF8

import msgspec

from regserver.ports.source import Accepted, Subject, Unavailable, Verdict

MAX_ANSWER_BYTES = 64 * 1024
MAX_SUBJECT_LENGTH = 1024

_encode = msgspec.json.Encoder().encode


class _Answer(msgspec.Struct, frozen=True):
    subject: str


_decode = msgspec.json.Decoder(_Answer).decode


def verify_request(username: str, password: str) -> bytes:
    """The request that checks a password."""
    return _encode({"username": username, "password": password})


def profile_request(subject: Subject) -> bytes:
    """The request for the lines of one registration."""
    return _encode({"subject": subject})


def read_answer(body: bytes) -> Verdict:
    """The verdict of an answer with 200, or exit code 0. A malformed answer is not quoted, since it may contain a secret."""
    if len(body) > MAX_ANSWER_BYTES:
        return Unavailable(f"verify: an answer of more than {MAX_ANSWER_BYTES} bytes")
    try:
        subject = _decode(body.removeprefix(BOM_UTF8)).subject
    except msgspec.ValidationError as error:
        return Unavailable(f"verify: {error}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unavailable("verify: the answer is not JSON in UTF-8")
    if not 0 < len(subject) <= MAX_SUBJECT_LENGTH:
        return Unavailable(f"verify: expected a subject of 1 to {MAX_SUBJECT_LENGTH} characters")
    if "\0" in subject:  # not every store can write it
        return Unavailable("verify: a NUL in the subject")
    return Accepted(Subject(subject))
