"""This very system as a machine to install on: what is changed goes into an overlay, which ends with the commands."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.peer.required import find_program, report_missing


def in_overlay(files: Path, commands: Sequence[str], seen: Sequence[Path] = ()) -> list[str]:
    """Runs commands as root of this system, whose changes are kept nowhere, without a network but for loopback.

    Args:
        files: A folder whose files are in /packages.
        commands: Lines for sh, which end with the first that fails.
        seen: Folders that must be there too, in their places, if they lie on other disks.

    Returns:
        The lines that they print and that begin with "* ".
    """
    unshare = find_program("util-linux", "unshare")
    loopback = f"{find_program('iproute2', 'ip')} link set lo up"
    mounts = "\n".join(
        f"mkdir -p /mnt/root{each}; mount --bind {each} /mnt/root{each}; mount -o remount,bind,ro /mnt/root{each}"
        for each in seen
    )
    script = f"""set -e
mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mkdir -p /mnt/root/packages; cp -r {files}/. /mnt/root/packages
mount -t proc none /mnt/root/proc; mount --bind /dev /mnt/root/dev; {loopback}
{mounts}
exec chroot /mnt/root sh -e
"""
    if subprocess.run([unshare, "-m", "-n", "true"], capture_output=True, check=False).returncode:
        report_missing("a test installs into an overlay, which needs root")
    environment = {
        "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
    }
    done = subprocess.run(
        [unshare, "-m", "-n", "--pid", "--fork", "--kill-child", "sh", "-c", script],
        input="\n".join(commands) + "\n",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "mount: " in done.stderr:
        report_missing("a test installs into an overlay, which this kernel does not mount")
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("* ")]
