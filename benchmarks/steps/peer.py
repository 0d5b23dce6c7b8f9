"""A minimal server of the same function: Starlette on uvicorn with uvloop and httptools, one SQLite connection on the loop.

It does what the protocol asks of the phone's way: hashed contacts and codes, tries counted, unique names, checked keys,
and every change durable (WAL, synchronous=FULL) before its answer. It has no limits, journal, log, metrics or batches.
Usage: peer PORT CODE_PORT FOLDER
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.steps.code_post import DatagramSms
from regserver.adapters.ledger import on_curve
from regserver.domain.public_key import parse_public_key

PEPPER = secrets.token_bytes(32)
NAME = re.compile(r"[a-z](?:[.-]?[a-z0-9])*")
SCHEMA = """
CREATE TABLE IF NOT EXISTS registration (contact BLOB PRIMARY KEY, state TEXT NOT NULL, code BLOB, expires REAL, tries INT,
    username TEXT UNIQUE, user_id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, username TEXT UNIQUE, user_id TEXT UNIQUE, owner TEXT, active TEXT);
"""

Params = dict[str, Any]


class Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message


class Peer:
    def __init__(self, folder: str, sms: DatagramSms) -> None:
        self._db = sqlite3.connect(f"{folder}/peer.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SCHEMA)
        self._sms = sms
        self._methods: dict[str, Callable[[Params, bytes], Params]] = {
            "getState": self.get_state,
            "firstStep": self.first_step,
            "verify": self.verify,
            "setUsername": self.set_username,
            "toBlockChain": self.to_block_chain,
        }

    async def rpc(self, request: Request) -> JSONResponse:
        call = await request.json()
        reply: Params = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            params = call["params"]
            contact = hmac.digest(PEPPER, params["phone"].encode(), "sha256")
            reply["result"] = self._methods[call["method"]](params, contact)
        except Refused as refused:
            reply["error"] = {"code": refused.code, "message": refused.message}
        return JSONResponse(reply)

    def _row(self, contact: bytes, state: str) -> tuple[Any, ...]:
        row = self._db.execute(
            "SELECT state, code, expires, tries, username, user_id FROM registration WHERE contact = ?",
            (contact,),
        ).fetchone()
        found: tuple[Any, ...] = row or ("firstStep", None, None, None, None, None)
        if found[0] != state:
            raise Refused(1102, "Invalid step taken")
        return found

    def get_state(self, params: Params, contact: bytes) -> Params:
        row = self._db.execute("SELECT state FROM registration WHERE contact = ?", (contact,)).fetchone()
        return {"currentState": row[0] if row else "firstStep"}

    def first_step(self, params: Params, contact: bytes) -> Params:
        self._row(contact, "firstStep")
        code = str(100_000 + secrets.randbelow(900_000))
        self._db.execute(
            "INSERT INTO registration (contact, state, code, expires, tries) VALUES (?, 'verify', ?, ?, 5)",
            (contact, _code_mac(contact, code), time.time() + 600),
        )
        self._sms.post(params["phone"], f"{code} is your registration code.")
        return {"currentState": "verify"}

    def verify(self, params: Params, contact: bytes) -> Params:
        _, code, expires, tries, _, _ = self._row(contact, "verify")
        right = tries > 0 and time.time() < expires
        if not right or not hmac.compare_digest(code, _code_mac(contact, str(params["code"]))):
            self._db.execute("UPDATE registration SET tries = tries - 1 WHERE contact = ?", (contact,))
            raise Refused(1104, "Wrong activation code")
        self._db.execute(
            "UPDATE registration SET state = 'setUsername', code = NULL WHERE contact = ?", (contact,)
        )
        return {"currentState": "setUsername"}

    def set_username(self, params: Params, contact: bytes) -> Params:
        self._row(contact, "setUsername")
        if not 3 <= len(params["username"]) <= 32 or NAME.fullmatch(params["username"]) is None:
            raise Refused(1109, "Invalid username")
        user_id = "reg1" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
        try:
            self._db.execute(
                "UPDATE registration SET state = 'toBlockChain', username = ?, user_id = ? WHERE contact = ?",
                (params["username"], user_id, contact),
            )
        except sqlite3.IntegrityError:
            raise Refused(1106, "This username is already taken") from None
        return {"currentState": "toBlockChain", "userId": user_id}

    def to_block_chain(self, params: Params, contact: bytes) -> Params:
        *_, username, user_id = self._row(contact, "toBlockChain")
        if (params["username"], params["userId"]) != (username, user_id):
            raise Refused(1110, "Not the username that was chosen")
        owner, active = params["publicOwnerKey"], params["publicActiveKey"]
        if parse_public_key(owner, on_curve) is None or parse_public_key(active, on_curve) is None:
            raise Refused(1112, "Invalid public key")
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT INTO account (username, user_id, owner, active) VALUES (?, ?, ?, ?)",
            (username, user_id, owner, active),
        )
        self._db.execute("UPDATE registration SET state = 'registered' WHERE contact = ?", (contact,))
        self._db.execute("COMMIT")
        return {"username": username, "userId": user_id, "currentState": "registered"}


def _code_mac(contact: bytes, code: str) -> bytes:
    return hmac.digest(PEPPER, contact + code.encode(), hashlib.sha256)


def main() -> None:
    port, code_port, folder = sys.argv[1:]
    peer = Peer(folder, DatagramSms(int(code_port)))
    app = Starlette(routes=[Route("/rpc", peer.rpc, methods=["POST"])])
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
