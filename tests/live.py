"""What tests of live registration share: the seed's schema, and reading a registration to its end."""

from typing import Any

Message = dict[str, Any]

# docs/…/live-registration: the message schema, as printed there.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "eventType": {"type": "string", "enum": ["INFORMATION", "FAILURE", "AUTHENTICATION", "NAME"]},
        "step": {"type": "integer"},
        "totalSteps": {"type": "integer"},
        "message": {"type": "string"},
        "additionalData": {"type": "object"},
    },
}
KEYS = ["eventType", "step", "totalSteps", "message", "additionalData"]
DATA_KEYS = {
    "INFORMATION": [],
    "FAILURE": [],
    "AUTHENTICATION": ["userId", "token"],
    "NAME": ["firstName", "middleName", "lastName"],
}
TYPES = {"object": "dict", "string": "str", "integer": "int"}
LAST = {"AUTHENTICATION", "FAILURE"}
MAX_JSON_INTEGER = 2**53 - 1


def check_schema(value: Any, schema: dict[str, Any] = SCHEMA) -> None:
    """The part of JSON Schema that the seed uses."""
    assert type(value).__name__ == TYPES[schema["type"]], value
    assert value in schema.get("enum", [value])
    inner: dict[str, Any] = schema.get("properties", {})
    for key in inner:
        check_schema(value[key], inner[key])


def check_event(event: Message) -> None:
    """One frame: the schema, exactly its keys, and exactly the data of its kind."""
    check_schema(event)
    assert list(event) == KEYS
    assert list(event["additionalData"]) == DATA_KEYS[event["eventType"]]
    assert 1 <= event["step"] <= MAX_JSON_INTEGER
    assert event["totalSteps"] == -1 or event["step"] <= event["totalSteps"] <= MAX_JSON_INTEGER


def check_story(events: list[Message]) -> None:
    """A whole registration: steps never go back, the name comes at most once and before the token, one end."""
    for event in events:
        check_event(event)
    numbers = [event["step"] for event in events]
    assert numbers == sorted(numbers)
    kinds = [event["eventType"] for event in events]
    assert [kind in LAST for kind in kinds] == [False] * (len(kinds) - 1) + [True]
    assert kinds.count("NAME") <= 1
    if kinds[-1] == "AUTHENTICATION":
        assert "NAME" in kinds
        assert isinstance(events[-1]["additionalData"]["userId"], int)
        assert isinstance(events[-1]["additionalData"]["token"], str)
