"""A new operator's first hour: docs/deploy.md on an empty Debian 12 with the package that was built: `make first-hour`.

    debootstrap, install, configure, first person, mail, TLS behind Caddy, backup, upgrade, restore, moderation

Nothing of this machine is in that root but the package. There is no systemd in it, so a script starts the unit's program as the
unit's user.
"""

import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import trio

from tests.altcha import solve
from tests.peer.proxy import NAME, Place, free_port, running_proxy
from tests.peer.required import find_program, report_missing
from tests.peer.smtp import open_smtp_peer
from tests.serving.conftest import certificate

__all__ = ["certificate"]

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "deploy.md").read_text("utf-8")
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PACKAGE = ROOT / "dist" / "regserver.deb"
INCLUDED = "systemd-standalone-sysusers"
SYSTEMCTL = """#!/bin/sh
# What systemd does with the unit, where there is none.
stop() { [ ! -f /run/pid ] || { kill "$(cat /run/pid)"; while [ -d "/proc/$(cat /run/pid)" ]; do sleep 0.1; done; rm /run/pid; }; }
start() {
    install -d -o regserver -g regserver -m 700 /var/lib/regserver /var/cache/regserver
    export CACHE_DIRECTORY=/var/cache/regserver HOME=/var/lib/regserver
    setpriv --reuid regserver --regid regserver --init-groups regserver serve >>/var/log/regserver.log 2>&1 & echo $! >/run/pid
    for _ in $(seq 300); do regserver server show >/dev/null 2>&1 && return; sleep 0.1; done; cat /var/log/regserver.log; exit 1
}
case "$1" in start | enable) start ;; stop) stop ;; restart) stop; start ;; *) ;; esac
"""


NEXT_VERSION = """
import sys
sys.path.insert(0, {packaging!r})
import deb
from pathlib import Path
deb.build(Path({program!r}), Path({package!r}), "99.0")
"""


def documented(word: str, heading: str = "") -> str:
    """The block of the document that has this in it, below the heading."""
    blocks: list[str] = CONSOLE.findall(DOCUMENT[DOCUMENT.index(f"\n## {heading}") :])
    return next(block for block in blocks if word in block)


class Machine:
    """An empty Debian, whose files are in a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        debootstrap = find_program("debootstrap", "debootstrap")
        words = [debootstrap, "--variant=minbase", f"--include={INCLUDED}", "bookworm", str(self.root)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            report_missing(
                f"a test installs an empty Debian, which needs root and a mirror: {done.stdout[-300:]}"
            )
        (self.root / "dist").mkdir()
        shutil.copy(PACKAGE, self.root / "dist" / "regserver.deb")
        program = self.root / "usr/local/bin/systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)

    def configure(self, changes: dict[str, str]) -> None:
        """Writes the document's configuration, but for what belongs to the machine."""
        (text,) = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        (self.root / "etc/regserver/regserver.toml").write_text(text)

    async def make_next(self) -> None:
        """Puts the next version of the package where the first one was made; the executable is the same."""
        package = self.root / "dist" / "regserver.deb"
        values = {"packaging": ROOT / "packaging", "program": ROOT / "dist" / "regserver", "package": package}
        script = NEXT_VERSION.format(**{name: str(path) for name, path in values.items()})
        await trio.run_process([sys.executable, "-c", script], cwd=ROOT)

    async def run(self, script: str, code: int = 0) -> str:
        """Runs lines as root, in its root folder; what they print."""
        inside = f"mount -t proc none {self.root}/proc; mount --bind /dev {self.root}/dev; exec chroot {self.root} sh -euc '{script}'"
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LANG": "C.UTF-8",
        }
        with trio.fail_after(120):
            done = await trio.run_process(
                ["unshare", "-m", "sh", "-euc", inside],
                env=environment,
                capture_stdout=True,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert done.returncode == code, (script, done.stdout.decode())
        return done.stdout.decode()


async def sign_up(client: httpx.AsyncClient, name: str) -> httpx.Response:
    """At the page's own route, with a solved puzzle."""
    puzzle = (await client.get("/captcha/challenge")).json()
    body = {"username": name, "email": f"{name}@example.org", "password": f"{name} has a password"}
    return await client.post("/login/register", json={**body, "captcha": solve(puzzle)})


async def sign_in(client: httpx.AsyncClient, name: str) -> int:
    body = {"username": name, "password": f"{name} has a password"}
    return (await client.post("/login", json=body)).status_code


async def test_the_first_hour(tmp_path: Path, certificate: tuple[str, str]) -> None:
    machine = await trio.to_thread.run_sync(Machine, tmp_path)
    port, own = free_port(), free_port()
    install = "apt-get install -qq ./dist/regserver.deb"
    assert "apt install ./dist/regserver.deb" in documented("make deb")
    await machine.run(install)
    async with open_smtp_peer() as (mail, _):
        machine.configure(
            {
                "127.0.0.1:8080": f"127.0.0.1:{own}",
                f"https://{NAME}": f"https://localhost:{port}",
                "smtp://reg%40example.org:password@mail.example.org:587": f"smtp://127.0.0.1:{mail.port}",
            }
        )
        configure = documented("regserver config check").splitlines()
        try:
            for line in configure[:-1]:
                await machine.run(line)
            place = Place(tmp_path, port, own, *certificate)
            context = ssl.create_default_context(cafile=certificate[0])
            base = f"https://localhost:{port}"
            async with (
                running_proxy("caddy", place),
                httpx.AsyncClient(base_url=base, verify=context, timeout=30) as client,
            ):
                told = await machine.run(f"{configure[-1]} || true")
                assert "ok   store" in told, told
                await machine.run("regserver mail test you@example.org || true")
                assert [each.recipient for each in mail.received] == ["you@example.org"]
                assert (await sign_up(client, "ann")).status_code == 201
                assert await sign_in(client, "ann") == 200
                await machine.run(documented("invite create"))

                await machine.run(
                    "regserver backup /root/before.tar; regserver backup --check /root/before.tar"
                )
                assert (await sign_up(client, "bob")).status_code == 201
                make, upgrade, look = documented("apt install", "Upgrade").splitlines()
                assert (make, upgrade) == ("make deb", "apt install ./dist/regserver.deb")
                await machine.make_next()
                await machine.run(install)
                await machine.run("systemctl restart regserver")  # as the package does where systemd runs
                assert "99.0" in await machine.run("dpkg-query -W regserver")
                assert "ok   store" in await machine.run(f"{look} || true")
                assert await sign_in(client, "bob") == 200

                restore = documented("regserver restore")
                (archive,) = set(re.findall(r"regserver-\S+\.tar", restore))
                await machine.run(restore.replace(archive, "/root/before.tar"))
                assert (await sign_in(client, "ann"), await sign_in(client, "bob")) == (200, 401)

                await machine.run("regserver user suspend ann")
                assert await sign_in(client, "ann") == 403
                assert "all in order" in await machine.run("regserver audit verify")
        finally:
            await machine.run("systemctl stop regserver || true")
