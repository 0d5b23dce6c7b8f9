"""Whose files are: root leaves what it makes to the owner of the folder, and a refusal says who owns what.

The server runs as a user of its own, and its operator often as root. A file that root makes for itself alone, such as a
restored database, would keep the server from its next start.
"""

import grp
import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

_ROOT = 0


def create_private(path: Path) -> int:
    """Makes a new file that its owner alone may read and write; returns its descriptor.

    Raises FileExistsError where there is anything at the path, a symbolic link too, and other kinds of OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        leave_to(descriptor, os.stat(path.parent))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def leave_to(descriptor: int, like: os.stat_result) -> None:
    """Gives an open file the owner and the group of `like`, where root does this and it is not root's own. Raises OSError."""
    if os.geteuid() == _ROOT and like.st_uid != _ROOT:
        os.fchown(descriptor, like.st_uid, like.st_gid)


def take_over(descriptor: int, old: Path) -> None:
    """Gives an open file the owner, the group and the mode of a file, or the folder's owner where there is none. Raises OSError."""
    try:
        like = os.stat(old)
    except FileNotFoundError:
        leave_to(descriptor, os.stat(old.parent))
        return
    leave_to(descriptor, like)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def explain_refusal(path: Path, mode: int = os.R_OK | os.W_OK) -> str:
    """Who owns what this process may not use at `path`, and what to do, after a colon; "" where nothing refuses it.

    mode: what it wants to do with the file, as of os.access; it must be able to make one that is missing.
    """
    with suppress(OSError):
        folder = path.absolute().parent
        if path.exists():
            if not os.access(path, mode):
                return _words(path, "")
            return _words(folder, ", its folder,") if mode & os.W_OK and not _is_open(folder) else ""
        while not folder.exists():
            folder = folder.parent
        return "" if _is_open(folder) else _words(folder, "")
    return ""


def _is_open(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _words(path: Path, role: str) -> str:
    found, own = path.stat(), user_name(os.geteuid())
    owner = user_name(found.st_uid)
    if found.st_uid == _ROOT:
        way = f"as root: chown {own}: {path}"
    elif found.st_uid == os.geteuid():
        way = f"chmod u+rw{'x' if path.is_dir() else ''} {path}"
    else:
        way = f"run this as {owner}, or as root"
    group = group_name(found.st_gid)
    mode = stat.S_IMODE(found.st_mode)
    return f": {path}{role} belongs to {owner}:{group} with mode {mode:o}, and this is {own}; {way}"


def user_name(number: int) -> str:
    """The name of a user, or the number of one that has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """The name of a group, or the number of one that has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
