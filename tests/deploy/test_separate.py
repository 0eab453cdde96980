"""Every container of ours as a process, with the variables docker-compose.yml gives it and the image's files.

Only addresses are other ones: the servers are the embedded ones, the key files and ports are the test's.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import pytest

from services.stack import NAMES
from shared.embedded import Embedded
from shared.runtime import now
from shared.security import LOCAL_ISSUER
from tests.deploy.compose import Image, build, words
from tests.deploy.test_dashboard import expressions

pytestmark = [pytest.mark.live, pytest.mark.long]

SERVED = (*NAMES, "gateway")
READY_WITHIN = 120.0  # seconds; alone on the machine it takes three
POLL = 0.1


@dataclass
class Deployment:
    """The containers of docker-compose.yml as processes."""

    containers: dict[str, dict[str, Any]]
    image: Image
    place: Path
    addresses: dict[str, str]
    ports: dict[str, int]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def variables(self, name: str) -> dict[str, str]:
        """What a container is given, with the test's addresses in place of the deployment's."""
        given = dict(self.containers[name]["environment"])
        for variable, value in given.items():
            if variable in self.addresses:
                given[variable] = self.addresses[variable]
            elif variable.endswith(("_FILE", "_DIRECTORY")):
                given[variable] = f"{self.place}{value}"
        if "TAIZHANG_HTTP_PORT" in given:
            given |= {"TAIZHANG_HTTP_HOST": "127.0.0.1", "TAIZHANG_HTTP_PORT": self.port(name)}
        return {**self.image.environment(), **given}

    def port(self, name: str) -> str:
        return str(self.ports[name])

    def command(self, given: list[str]) -> list[str]:
        """A command of the image, by this Python, without the packages of the checkout."""
        assert given[0] == "python"
        return [sys.executable, "-S", *given[1:]]

    def start(self, name: str) -> None:
        """Start a container that stays."""
        with (self.place / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                self.command(words(self.containers[name]["command"])),
                cwd=self.image.app,
                env=self.variables(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def finish(self, name: str, *arguments: str) -> str:
        """Run a container that ends, to its good end; give what it says."""
        container = self.containers[name]
        given = [*words(container.get("entrypoint", [])), *words(container.get("command", []))]
        if arguments:
            given = [*words(container["entrypoint"]), *arguments]
        ended = subprocess.run(
            self.command(given),
            cwd=self.image.app,
            env=self.variables(name),
            capture_output=True,
            text=True,
            timeout=READY_WITHIN,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def healthy(self, name: str) -> bool:
        """What the container's own health check says."""
        _, *check = self.containers[name]["healthcheck"]["test"]
        port = self.containers[name]["environment"]["TAIZHANG_HTTP_PORT"]
        check = [word.replace(f":{port}/", f":{self.port(name)}/") for word in check]
        ended = subprocess.run(
            self.command(check),
            env=self.variables(name),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return ended.returncode == 0

    def get(self, name: str, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port(name)}{path}", timeout=20)

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")

    def ready(self, name: str) -> Self:
        """Wait until a container says it is."""

        until, wrong = time.monotonic() + READY_WITHIN, "no answer"
        while time.monotonic() < until:
            assert self.running[name].poll() is None, f"{name} ended: {self.log(name)}"
            with suppress(httpx.HTTPError):
                answer = self.get(name, "/readyz")
                if answer.status_code == 200:
                    return self
                wrong = answer.text
            time.sleep(POLL)
        pytest.fail(f"{name} is not ready: {wrong} {self.log(name)}")

    def stop(self, name: str) -> int:
        """Tell a container to stop as an engine does; give its exit code."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        grace = re.fullmatch(r"(\d+)s", self.containers[name]["stop_grace_period"])
        assert grace
        try:
            return process.wait(int(grace[1]))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def servers(place: Path, passwords: dict[str, str]) -> Iterator[Embedded]:
    """The two servers, NATS with the passwords deploy/secrets.sh made."""
    place.mkdir()
    prefix = "TAIZHANG_NATS_PASSWORD_"
    users = {n.removeprefix(prefix).lower(): p for n, p in passwords.items() if prefix in n}
    (place / "nats-passwords.json").write_text(json.dumps(users))
    embedded = Embedded(place)
    try:
        assert embedded.start().nats_passwords.keys() == users.keys()
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory,
    deployed: dict[str, dict[str, Any]],
    passwords: dict[str, str],
) -> Iterator[Deployment]:
    """Everything compose starts, in its order, ready."""
    place = tmp_path_factory.mktemp("deployment")
    with servers(place / "servers", passwords) as embedded:
        addresses = {
            "TAIZHANG_NATS_URL": f"nats://127.0.0.1:{embedded.nats_port}",
            "TAIZHANG_MONGO_URL": f"mongodb://127.0.0.1:{embedded.mongo_port}",
        }
        ports = dict(zip(SERVED, free_ports(len(SERVED)), strict=True))
        whole = Deployment(deployed, build(place / "image"), place, addresses, ports)
        try:
            whole.finish("prepare")
            whole.finish("provision")
            for name in SERVED:
                whole.start(name)
            for name in SERVED:
                whole.ready(name)
            yield whole
        finally:
            whole.end()


def test_every_container_is_ready_by_its_own_health_check(deployment: Deployment) -> None:
    for name in SERVED:
        assert deployment.get(name, "/readyz").json() == {"ready": True, "wrong": {}}
        assert deployment.get(name, "/healthz").status_code == 200
        assert deployment.healthy(name)


def test_the_keys_are_the_owners_only_and_are_made_once(deployment: Deployment) -> None:
    keys = sorted(deployment.place.glob("keys/*/*"))
    assert [key.name for key in keys] == [
        "audit.key", "audit.pub", "deployment.key", "issuer.pem",
    ]  # fmt: skip
    assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys if key.suffix != ".pub")
    before = [key.read_bytes() for key in keys]
    deployment.finish("prepare")
    assert [key.read_bytes() for key in keys] == before


def test_provisioning_again_changes_nothing(deployment: Deployment) -> None:
    assert deployment.finish("provision") == "nothing to change"


def test_a_command_goes_through_the_gateway_to_its_service_and_is_seen_by_another(
    deployment: Deployment,
) -> None:
    school, joined = f"s-{uuid4().hex[:12]}", (now() - timedelta(days=400)).date().isoformat()
    operator = deployment.finish("tools", "token", "operator:tests", "--role", "operator")
    clerk = deployment.finish("tools", "token", f"{school}-clerk")
    base = f"http://127.0.0.1:{deployment.port('gateway')}/v1/{school}"
    with httpx.Client(base_url=base, timeout=60) as client:
        position = "0"

        def ask(token: str, method: str, path: str, body: object = None) -> Any:
            nonlocal position
            headers = {"Authorization": f"Bearer {token}", "Taizhang-Min-Position": position}
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.is_success, answer.text
            position = max(position, answer.headers["Taizhang-Position"], key=int)
            return answer.json()

        enrolment = {"name": "示范中学", "zone": "Asia/Shanghai", "language": "zh"}
        ask(operator, "POST", "/schools", enrolment)
        posts = [{"role": "school_administrator", "since": joined}]
        person = ask(
            operator, "POST", "/people", {"name": "某甲", "joined_on": joined, "posts": posts}
        )
        account = {
            "issuer": LOCAL_ISSUER,
            "subject": f"{school}-clerk",
            "person": person["id"],
        }
        ask(operator, "POST", "/accounts", account)
        # The answer comes when the service asked has read what campaign has just recorded.
        assert ask(clerk, "GET", "/school")["name"] == "示范中学"
        assert ask(clerk, "GET", "/issues")["items"] == []
        assert ask(clerk, "GET", "/opinions")["items"] == []

        refused = client.get("/issues", headers={"Authorization": "Bearer nobody"})
        assert refused.status_code == 401


def test_prometheus_finds_every_number_the_dashboard_shows(deployment: Deployment) -> None:
    told = {name: deployment.get(name, "/metrics").text for name in SERVED}
    declared = set(re.findall(r"^# TYPE (\w+) ", "\n".join(told.values()), re.MULTILINE))
    for _, expression, _ in expressions():
        for series in re.findall(r"taizhang_\w+", expression):
            assert series in declared or series.removesuffix("_bucket") in declared, series
    for name in NAMES:
        if name != "clock":
            assert f'taizhang_config_drift{{service="{name}"}} 0.0' in told[name]


def test_nothing_was_tried_that_is_not_allowed_and_nothing_went_wrong(
    deployment: Deployment,
) -> None:
    assert "Violation" not in (deployment.place / "servers" / "nats.log").read_text()
    for name in SERVED:
        said = [json.loads(line) for line in deployment.log(name).splitlines()]
        assert [line for line in said if line.get("level") in {"error", "critical"}] == []


def test_sigterm_ends_a_container_well_and_it_comes_back(deployment: Deployment) -> None:
    assert deployment.stop("rectification") == 0
    assert not deployment.healthy("rectification")
    wrong = deployment.get("gateway", "/readyz")
    assert (wrong.status_code, list(wrong.json()["wrong"])) == (503, ["rectification"])

    deployment.start("rectification")
    deployment.ready("rectification").ready("gateway")


def test_sigterm_ends_all_of_them_well(deployment: Deployment) -> None:
    files = deployment.image.files()
    with httpx.Client(timeout=20) as prometheus:  # keeps its connections open
        for name in SERVED:
            prometheus.get(f"http://127.0.0.1:{deployment.port(name)}/metrics")
        codes = {name: deployment.stop(name) for name in reversed(SERVED)}
    assert codes == dict.fromkeys(SERVED, 0)
    for name in SERVED:
        assert "Traceback" not in deployment.log(name), name
    assert deployment.image.files() == files
