"""What every route takes and answers, as one table for people and for GET /openapi.json.

Kept beside the routes by a test: a route without a row, or a row without a route, fails it.
"""

from typing import Any

import msgspec

Schema = dict[str, Any]


class Row(msgspec.Struct, frozen=True):
    """One route. body: the name of a schema below. answers: success by status. refusals: names by status.

    retry: whether an Idempotency-Key makes repeating the request safe.
    """

    summary: str
    answers: dict[int, tuple[str, str | None]]
    refusals: dict[int, str] = {}
    body: str | None = None
    token: bool = False
    retry: bool = False
    query: dict[str, str] = {}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}
_IDS: Schema = {"type": "array", "items": _ID}
_TIME: Schema = {"type": "string", "format": "date-time"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: dict[str, Schema] = {
    "Error": _object({"error": _TEXT}, {"missingUsers": _IDS}),
    "DirectoryError": _object({"message": _TEXT, "detail": _TEXT, "id": _TEXT}, {"server": _TEXT}),
    "Credentials": _object({"username": _TEXT, "password": _TEXT}),
    "SignedIn": _object({"userId": _ID, "token": _TEXT, "expiresIn": {"type": "integer"}}),
    "Registering": _object({"location": {"type": "string", "format": "uri"}}),
    "SignUp": _object({"username": _TEXT, "email": {"type": "string", "format": "email"}, "password": _TEXT}),
    "Account": _object(
        {
            "user": _object(
                {
                    "userId": _ID,
                    "username": _TEXT,
                    "email": {"type": ["string", "null"]},
                    "rooms": _IDS,
                    "createdAt": _TIME,
                    "updatedAt": _TIME,
                }
            )
        }
    ),
    "UserId": _object({"userId": _ID}),
    "Username": _object({"username": _TEXT}),
    "Ticket": _object({"ticket": _TEXT, "expiresIn": {"type": "integer"}}),
    "NewRoom": _object({}, {"name": _TEXT, "otherUsers": _IDS}),
    "RoomId": _object({"roomId": _ID}),
    "Invitation": _object({"otherUsers": {**_IDS, "minItems": 1}}),
    "NewPost": _object({"content": {"type": "string", "minLength": 1}}),
    "PostId": _object({"postId": _ID}),
    "ListedPost": _object(
        {"id": _ID, "user": _ID, "username": _TEXT, "room": _ID, "content": _TEXT, "createdAt": _TIME}
    ),
    "Post": _object(
        {"post": _object({"id": _ID, "user": _ID, "room": _ID, "content": _TEXT, "createdAt": _TIME})}
    ),
    "PostPage": _object(
        {"posts": {"type": "array", "items": _ref("ListedPost")}, "more": {"type": "boolean"}}
    ),
    "Room": _object(
        {
            "room": _object(
                {
                    "roomId": _ID,
                    "name": _TEXT,
                    "users": _IDS,
                    "posts": _IDS,
                    "createdAt": _TIME,
                    "updatedAt": _TIME,
                },
                {"lastPost": {"oneOf": [_ref("ListedPost"), {"type": "null"}]}},
            )
        }
    ),
    "RoomList": _object(
        {
            "rooms": {
                "type": "array",
                "items": _object(
                    {
                        "roomId": _ID,
                        "name": _TEXT,
                        "users": _IDS,
                        "lastPost": {"oneOf": [_ref("ListedPost"), {"type": "null"}]},
                        "unread": {"type": "integer", "minimum": 0},
                    }
                ),
            }
        }
    ),
    "JsonRpc": {
        "description": "A JSON-RPC 2.0 request or a batch of at most 50; `rpc.discover` describes the methods.",
        "type": ["object", "array"],
    },
    "Exists": _object({"exists": {"type": "boolean"}}),
    "Server": _object({"server": _TEXT}),
    "Creation": _object({"userName": _TEXT, "password": _TEXT, "email": _TEXT}, {"languageCode": _TEXT}),
    "Message": _object({"message": _TEXT, "detail": _TEXT, "id": _TEXT}),
    "Health": _object(
        {"status": _TEXT}, {"version": _TEXT, "parts": {"type": "object"}, "failing": {"type": "array"}}
    ),
}

LIVE_EVENT: Schema = _object(
    {
        "eventType": {"type": "string", "enum": ["INFORMATION", "FAILURE", "AUTHENTICATION", "NAME"]},
        "step": {"type": "integer", "minimum": 1},
        "totalSteps": {"type": "integer", "minimum": -1},
        "message": _TEXT,
        "additionalData": {"type": "object"},
    },
    {"etaSeconds": {"type": ["integer", "null"], "minimum": 0}},
)
"""A frame of a live registration."""

_ASKER = {400: "BadAuthType", 401: "MissingAuth, BadToken", 410: "UserIsDeleted"}
_IN_ROOM = {
    400: "BadAuthType, BadId",
    401: "MissingAuth, BadToken, NotInRoom",
    404: "RoomNotFound",
    410: "UserIsDeleted",
}
_SIGN_IN = Row(
    "Sign in; the first sign-in of a person whom the data source knows starts a registration to watch.",
    {
        200: ("Signed in.", "SignedIn"),
        202: ("Registration runs; asked for with `Prefer: respond-async`.", "Registering"),
        303: ("Registration runs; watch it at Location.", "Registering"),
    },
    {
        400: "BadJson",
        401: "BadCredentials",
        409: "UsernameTaken",
        410: "UserIsDeleted",
        503: "SourceUnavailable (with Retry-After)",
    },
    body="Credentials",
)
_CONFIRM = Row(
    "Confirm a sign-up with the challenge that was mailed.",
    {200: ("Confirmed; the user lives on this server.", "Server")},
    {400: "INVALID_CHALLENGE, ALREADY_CONFIRMED, INVALID_DATA", 404: "NO_PENDING_CREATION"},
)
_SERVER = Row(
    "The server a user lives on.",
    {200: ("Found.", "Server")},
    {400: "INVALID_USER_NAME", 404: "UNKOWN_USER_NAME"},
)
_RPC = Row(
    "The registration by steps, as JSON-RPC 2.0.",
    {200: ("A reply.", None), 204: ("Only notifications.", None)},
    body="JsonRpc",
)

TABLE: dict[str, Row] = {
    "POST /login": _SIGN_IN,
    "POST /user/login": _SIGN_IN,
    "DELETE /login/token": Row(
        "Sign out.",
        {204: ("Revoked.", None)},
        _ASKER,
        token=True,
        query={"all": "true: every token of the account"},
    ),
    "GET /register/{registration}/events": Row(
        "Watch a registration as Server-Sent Events; the same events come over a WebSocket at /register/{registration}.",
        {200: ("A stream.", None), 204: ("Nothing follows.", None)},
        {404: "RegistrationNotFound"},
        query={"eta": "1: adds etaSeconds to each event"},
    ),
    "POST /login/register": Row(
        "Sign up.",
        {201: ("Signed up and in.", "SignedIn")},
        {
            400: "BadJson, BadEmail, BadUsername, BadPassword",
            403: "RegistrationClosed",
            409: "UsernameTaken, EmailTaken",
        },
        body="SignUp",
        retry=True,
    ),
    "GET /login/info": Row("The asker's account.", {200: ("Found.", "Account")}, _ASKER, token=True),
    "GET /login/userId/{username}": Row(
        "The id behind a user name.",
        {200: ("Found.", "UserId")},
        {**_ASKER, 404: "AccountNotFound"},
        token=True,
    ),
    "GET /login/username/{user_id}": Row(
        "The user name behind an id.",
        {200: ("Found.", "Username")},
        {**_ASKER, 400: "BadAuthType, BadId", 404: "AccountNotFound"},
        token=True,
    ),
    "DELETE /login/delete": Row("Delete the asker's account.", {204: ("Deleted.", None)}, _ASKER, token=True),
    "POST /login/ticket": Row(
        "A single-use ticket for one WebSocket.", {200: ("Issued.", "Ticket")}, _ASKER, token=True
    ),
    "POST /room/create": Row(
        "Create a room.",
        {200: ("Created.", "RoomId")},
        {**_ASKER, 400: "BadJson, BadOtherUsers, BadId, BadRoomName, TooManyUsers", 404: "AccountNotFound"},
        body="NewRoom",
        token=True,
        retry=True,
    ),
    "GET /room/list": Row("The asker's rooms.", {200: ("Found.", "RoomList")}, _ASKER, token=True),
    "GET /room/info/{room}": Row(
        "A room.",
        {200: ("Found.", "Room")},
        _IN_ROOM,
        token=True,
        query={"getLastPost": "true: adds lastPost"},
    ),
    "POST /room/invite/{room}": Row(
        "Bring others in.",
        {204: ("Done.", None)},
        {
            **_IN_ROOM,
            400: "BadJson, BadOtherUsers, BadId, TooManyUsers",
            404: "RoomNotFound, AccountNotFound",
        },
        body="Invitation",
        token=True,
        retry=True,
    ),
    "POST /room/leave/{room}": Row("Leave a room.", {204: ("Left.", None)}, _IN_ROOM, token=True, retry=True),
    "POST /room/post/{room}": Row(
        "Post.",
        {200: ("Posted.", "PostId")},
        {**_IN_ROOM, 400: "BadJson, BadPostContent, BadId"},
        body="NewPost",
        token=True,
        retry=True,
    ),
    "GET /room/read/{post}": Row(
        "One post.", {200: ("Found.", "Post")}, {**_IN_ROOM, 404: "PostNotFound"}, token=True
    ),
    "GET /room/readAll/{room}": Row(
        "Posts, oldest first.",
        {200: ("Found.", "PostPage")},
        _IN_ROOM,
        token=True,
        query={"before": "only posts older than this id", "limit": "at most so many, up to 1000"},
    ),
    "POST /room/seen/{room}": Row(
        "Move the unread mark.",
        {204: ("Moved.", None)},
        {**_IN_ROOM, 404: "RoomNotFound, PostNotFound"},
        body="PostId",
        token=True,
        retry=True,
    ),
    "POST /rpc": _RPC,
    "POST /": _RPC,
    "GET /{name}/check": Row(
        "Whether a user name is taken.", {200: ("Known.", "Exists")}, {400: "INVALID_USER_NAME"}
    ),
    "POST /init": Row(
        "Begin a sign-up that is confirmed by mail.",
        {200: ("Begun.", "Message")},
        {400: "INVALID_DATA (with errors), INVALID_JSON_REQUEST"},
        body="Creation",
    ),
    "GET /{challenge}/confirm": _CONFIRM,
    "POST /{challenge}/confirm": _CONFIRM,
    "HEAD /{challenge}/confirm": Row("Changes nothing.", {200: ("Pending.", None)}),
    "GET /{name}/server": _SERVER,
    "POST /{name}/server": _SERVER,
    "GET /messages-en.js": Row("The directory's messages in English.", {200: ("A script.", None)}),
    "GET /messages-fr.js": Row("The directory's messages in French.", {200: ("A script.", None)}),
    "GET /health/alive": Row("Whether the process answers.", {200: ("It does.", "Health")}),
    "GET /health/ready": Row(
        "Whether every part is well.", {200: ("All are.", "Health"), 503: ("Some are not.", "Health")}
    ),
    "GET /metrics": Row("Figures in Prometheus's text format.", {200: ("Figures.", None)}),
    "GET /openapi.json": Row("This document.", {200: ("OpenAPI 3.1.", None)}),
    "GET /asyncapi.json": Row("The WebSockets, described.", {200: ("AsyncAPI 3.0.", None)}),
}
