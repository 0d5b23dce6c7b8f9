"""Packs the folder that PyInstaller has built into one file: `launcher.sh` and behind it the folder, compressed.

    python packaging/pack.py FOLDER TARGET

PyInstaller's own one-file form unpacks at every start, into a place that may forbid execution, and stays as a parent process.
makeself unpacks at every start as well.
"""

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.sh")
DIGITS = 8


def pack(folder: Path, target: Path) -> None:
    """Writes `target`. folder: has the program `regserver`."""
    packed = compress(folder)
    text = LAUNCHER.read_text("utf-8").replace(
        "@NAME@", f"regserver-{hashlib.sha256(packed).hexdigest()[:16]}"
    )
    length = len(text.replace("@OFFSET@", "0" * DIGITS).encode())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.replace("@OFFSET@", str(length + 1).zfill(DIGITS)).encode() + packed)
    target.chmod(0o755)


def compress(folder: Path) -> bytes:
    """The folder's files as a compressed archive, the same bytes for the same files."""
    archived = io.BytesIO()
    with tarfile.open(fileobj=archived, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            member = archive.gettarinfo(path, str(path.relative_to(folder)))
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            with path.open("rb") if member.isreg() else io.BytesIO() as content:
                archive.addfile(member, content)
    return gzip.compress(archived.getvalue(), 9, mtime=0)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
