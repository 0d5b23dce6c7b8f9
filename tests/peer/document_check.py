"""The validators that the makers of OpenAPI, AsyncAPI and OpenRPC publish, and a linter that tries every example."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.peer.node import install_node_peer

PEER = Path(__file__).parent / "document"


class Complaint(msgspec.Struct, frozen=True):
    """document: "openapi", "asyncapi" or "openrpc". rule: of the validator. where: a path into the document."""

    document: str
    rule: str
    message: str
    where: str


def complaints(documents: Mapping[str, Any], folder: Path) -> list[Complaint]:
    """What the validators have against the three documents, by name; warnings too. folder: for the documents' files."""
    built = install_node_peer(PEER)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    command = ["node", str(built / "check.mjs"), str(folder)]
    ran = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return [msgspec.json.decode(line, type=Complaint) for line in ran.stdout.splitlines()]
