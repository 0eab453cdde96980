"""docker-compose.yml, held against the settings, the services, nats.conf and the files it names."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from services.stack import NAMES
from shared.embedded import NATS_CONF, USERS
from shared.settings import Settings
from tests.deploy.compose import (
    COMPOSE,
    ROOT,
    NotGiven,
    containers,
    instructions,
    mentioned,
    raw,
    words,
)

type Containers = dict[str, dict[str, Any]]

SERVED = (*NAMES, "gateway")
SERVICE = {"nats_url", "nats_password", "mongo_url", "key_file", "issuer_file"}
HTTP = {"http_host", "http_port"}
AUDIT = {"audit_key_file", "audit_directory"}
USED: dict[str, set[str]] = {
    **dict.fromkeys(NAMES, SERVICE | HTTP),
    "audit": SERVICE | AUDIT | HTTP,
    "clock": SERVICE - {"key_file"} | HTTP,
    "gateway": SERVICE - {"key_file", "mongo_url"} | HTTP,
    "provision": {"nats_url", "nats_password"},
    "prepare": {"key_file", "issuer_file", "audit_key_file"},
    "tools": SERVICE | AUDIT,
}
"""What each container of our image reads of the settings: that, and nothing else, is it given."""
RUNS_AS = {
    **{name: name for name in SERVED},
    "provision": "operator",
    "tools": "operator",
}
"""The NATS user of each container."""
NATS_PORT = 4222  # the server's own, as the configuration sets none
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$|TOKEN")


def ours(deployed: Containers) -> Containers:
    return {name: c for name, c in deployed.items() if c["image"].startswith("taizhang:")}


def variables(container: dict[str, Any]) -> dict[str, str]:
    return dict(container.get("environment", {}))


def mounts(container: dict[str, Any]) -> list[list[str]]:
    """`[source, target, mode]`, the mode `rw` where none is given."""
    return [[*mount.split(":"), "rw"][:3] for mount in container.get("volumes", [])]


# -- Services and settings ------------------------------------------------------------------------


def test_every_service_of_the_product_has_a_container_of_its_name(deployed: Containers) -> None:
    serving = {
        name: command[4]
        for name, c in deployed.items()
        if (command := words(c.get("command", [])))[:4] == ["python", "-m", "services.cli", "serve"]
    }
    assert serving == {name: name for name in SERVED}


def test_a_container_is_given_exactly_the_settings_it_uses(deployed: Containers) -> None:
    given = {
        name: {
            variable.removeprefix("TAIZHANG_").lower()
            for variable in variables(c)
            if variable.startswith("TAIZHANG_")
        }
        for name, c in ours(deployed).items()
    }
    assert given == USED
    assert {variable for used in USED.values() for variable in used} <= set(Settings.model_fields)


def test_the_settings_read_every_value_as_it_is_written(
    deployed: Containers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for c in ours(deployed).values():
        with monkeypatch.context() as patch:
            for variable, value in variables(c).items():
                assert isinstance(value, str), variable
                patch.setenv(variable, value)
            settings = Settings()
        for variable, value in variables(c).items():
            read = getattr(settings, variable.removeprefix("TAIZHANG_").lower())
            assert str(getattr(read, "get_secret_value", lambda r=read: r)()) == value


def test_only_our_containers_and_nats_are_given_variables_of_ours(deployed: Containers) -> None:
    given = {
        name
        for name, c in deployed.items()
        if any(variable.startswith("TAIZHANG_") for variable in variables(c))
    }
    assert given == {*ours(deployed), "nats"}


# -- NATS ----------------------------------------------------------------------------------------


def test_nats_runs_with_the_file_the_tests_run_with(deployed: Containers) -> None:
    nats = deployed["nats"]
    files = {target: ROOT / source for source, target, mode in mounts(nats) if mode == "ro"}
    command = words(nats["command"])

    assert command[:2] == ["nats-server", "-c"]
    assert files[command[2]].resolve() == NATS_CONF.resolve()
    assert len(command) == 3


def test_nats_is_given_exactly_what_its_configuration_reads(deployed: Containers) -> None:
    text = re.sub(r"#.*", "", NATS_CONF.read_text())
    assert set(variables(deployed["nats"])) == set(re.findall(r"\$(TAIZHANG_\w+)", text))


def test_the_log_is_on_a_volume(deployed: Containers) -> None:
    volumes = {target: source for source, target, mode in mounts(deployed["nats"]) if mode == "rw"}
    assert volumes == {variables(deployed["nats"])["TAIZHANG_NATS_STORE"]: "nats"}


def test_every_nats_user_has_a_password_that_only_the_server_and_its_service_know(
    deployed: Containers, passwords: dict[str, str]
) -> None:
    text = NATS_CONF.read_text()
    users = dict(re.findall(r"user: (\w+), password: \$(\w+)", text))
    assert set(users) == set(USERS) == {*SERVED, "operator"}
    assert text.count("user:") == len(users)
    for user, variable in users.items():
        password = passwords[variable]
        assert variables(deployed["nats"])[variable] == password
        knowing = {name for name, c in deployed.items() if password in str(c)}
        assert knowing == {"nats", *(name for name, runs_as in RUNS_AS.items() if runs_as == user)}
        for name in knowing - {"nats"}:
            assert variables(deployed[name])["TAIZHANG_NATS_PASSWORD"] == password


# -- Addresses, ports, networks ---------------------------------------------------------------------


def addresses(container: dict[str, Any]) -> set[tuple[str, int]]:
    """The hosts and ports a container's variables name."""
    urls = [urlsplit(v) for v in variables(container).values() if "://" in str(v)]
    return {(url.hostname or "", url.port or 0) for url in urls}


def test_every_address_is_a_container_that_can_be_reached(deployed: Containers) -> None:
    ports = {"nats": NATS_PORT, "mongo": 27017}
    for name, c in ours(deployed).items():
        for host, port in addresses(c):
            assert ports[host] == port, name
            assert set(c["networks"]) & set(deployed[host]["networks"]), name
    assert "port:" not in NATS_CONF.read_text()


def test_the_gateway_reaches_no_database_and_networks_inside_are_closed(
    deployed: Containers,
) -> None:
    networks = raw()["networks"]
    assert {name for name, network in networks.items() if not network.get("internal")} == {"front"}
    assert set(deployed["mongo"]["networks"]) == {"database"}
    assert set(deployed["nats"]["networks"]) == {"bus"}
    for outside in ("gateway", "prometheus", "grafana"):
        assert "database" not in deployed[outside]["networks"]
    used = {network for c in deployed.values() for network in c.get("networks", [])}
    assert used == set(networks)


def test_only_the_gateway_and_grafana_are_published_and_only_on_this_machine(
    deployed: Containers,
) -> None:
    published = {name: c["ports"] for name, c in deployed.items() if "ports" in c}
    assert published == {
        "gateway": ["127.0.0.1:8080:8080"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    for name in published:
        assert "front" in deployed[name]["networks"]


def test_services_listen_where_they_are_asked_how_they_are(deployed: Containers) -> None:
    scraped = {
        tuple(target.split(":"))
        for job in yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    assert scraped == {(name, variables(deployed[name])["TAIZHANG_HTTP_PORT"]) for name in SERVED}
    for name in SERVED:
        port = variables(deployed[name])["TAIZHANG_HTTP_PORT"]
        assert variables(deployed[name])["TAIZHANG_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 -- in a container
        assert f"http://127.0.0.1:{port}/readyz" in deployed[name]["healthcheck"]["test"][-1]
        assert set(deployed[name]["networks"]) & set(deployed["prometheus"]["networks"])
    assert deployed["gateway"]["ports"][0].endswith(":" + port)


# -- MongoDB -----------------------------------------------------------------------------------------


def test_mongodb_makes_the_user_and_the_replica_set_the_services_ask_for(
    deployed: Containers, passwords: dict[str, str]
) -> None:
    url = urlsplit(variables(deployed["campaign"])["TAIZHANG_MONGO_URL"])
    users = (ROOT / "deploy/mongo/users.js").read_text()
    healthy = (ROOT / "deploy/mongo/healthy.js").read_text()
    mongo = deployed["mongo"]
    database = Settings.model_fields["mongo_database"].default

    assert f'user: "{url.username}"' in users
    assert url.password == passwords["MONGO_PASSWORD"] == variables(mongo)["MONGO_PASSWORD"]
    assert set(re.findall(r'db: "(\w+)"', users)) == {database, f"{database}_keep"}
    assert dict(part.split("=") for part in url.query.split("&")) == {
        "replicaSet": words(mongo["command"])[2],
        "authSource": "admin",
    }
    assert f'_id: "{words(mongo["command"])[2]}"' in healthy
    assert f'host: "{url.hostname}:{url.port}"' in healthy
    read = {name for script in (users, healthy) for name in re.findall(r"env\.(\w+)", script)}
    assert read | mentioned_by_shell(mongo) | {"MONGO_INITDB_ROOT_USERNAME"} == set(
        variables(mongo)
    )
    assert variables(mongo)["MONGO_INITDB_ROOT_USERNAME"] in healthy
    assert mongo["healthcheck"]["test"][-1] in {target for _, target, _ in mounts(mongo)}


def mentioned_by_shell(container: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\$([A-Z]\w+)", " ".join(container["entrypoint"])))


def test_the_key_file_of_the_replica_set_is_written_where_the_server_reads_it(
    deployed: Containers,
) -> None:
    mongo = deployed["mongo"]
    command = words(mongo["command"])
    key_file = command[command.index("--keyFile") + 1]
    assert f'"$MONGO_CLUSTER_KEY" >{key_file}' in mongo["entrypoint"][2]
    assert mongo["entrypoint"][2].endswith('exec docker-entrypoint.sh "$@"')
    assert any(key_file.startswith(place) for place in mongo["tmpfs"])


# -- Files, volumes, order -----------------------------------------------------------------------------


def test_every_file_that_is_mounted_exists_and_cannot_be_written(deployed: Containers) -> None:
    declared = set(raw()["volumes"])
    used = set()
    for name, c in deployed.items():
        for source, target, mode in mounts(c):
            assert target.startswith("/"), name
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert mode == "ro", source
            else:
                used.add(source)
    assert used == declared


def test_only_prepare_may_write_the_keys(deployed: Containers) -> None:
    for key, setting in (
        ("deployment-key", "KEY_FILE"),
        ("issuer-key", "ISSUER_FILE"),
        ("audit-key", "AUDIT_KEY_FILE"),
    ):
        places = {
            name: (target, mode)
            for name, c in deployed.items()
            for source, target, mode in mounts(c)
            if source == key
        }
        assert {name for name, (_, mode) in places.items() if mode != "ro"} == {"prepare"}
        having = {name for name, c in deployed.items() if f"TAIZHANG_{setting}" in variables(c)}
        assert having == set(places)
        for name, (target, _) in places.items():
            assert variables(deployed[name])[f"TAIZHANG_{setting}"].startswith(f"{target}/")


def test_volumes_of_our_user_are_first_mounted_where_the_image_has_their_directory(
    deployed: Containers,
) -> None:
    made = next(rest for name, rest in instructions() if name == "RUN" and "install -d" in rest)
    of_our_user = {
        (source, target)
        for name, c in deployed.items()
        if name == "nats" or name in ours(deployed)
        for source, target, _ in mounts(c)
        if not source.startswith(".")
    }
    assert {(source, target) for source, target, _ in mounts(deployed["prepare"])} == of_our_user
    assert {target for _, target in of_our_user} <= set(made.split())
    assert deployed["nats"]["depends_on"]["prepare"]["condition"] == (
        "service_completed_successfully"
    )


def test_nothing_starts_before_what_it_needs(deployed: Containers) -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    waits = {
        name: {on: how["condition"] for on, how in c["depends_on"].items()}
        for name, c in deployed.items()
        if isinstance(c.get("depends_on"), dict)
    }
    everything = {"prepare": done, "provision": done, "mongo": healthy}
    assert waits == {
        "nats": {"prepare": done},
        "provision": {"nats": healthy},
        **dict.fromkeys((*NAMES, "tools"), everything),
        "gateway": {"prepare": done, "provision": done},
    }
    for name, on in waits.items():
        for other, condition in on.items():
            assert other in deployed, name
            assert condition == done or "test" in deployed[other]["healthcheck"]


def test_what_ends_is_not_started_again_and_what_runs_is(deployed: Containers) -> None:
    ending = {name for name, c in deployed.items() if c["restart"] == "no"}
    assert ending == {"prepare", "provision", "tools"}
    assert {c["restart"] for name, c in deployed.items() if name not in ending} == {
        "unless-stopped"
    }
    assert [name for name, c in deployed.items() if c.get("profiles")] == ["tools"]


# -- Images and what a container may ------------------------------------------------------------------


def test_images_are_pinned_and_ours_is_this_version(deployed: Containers) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert {c["image"] for c in ours(deployed).values()} == {f"taizhang:{version[1]}"}
    for name, c in deployed.items():
        _, _, tag = c["image"].partition(":")
        assert re.match(r"v?\d+\.\d+", tag), name
        if name in ours(deployed):
            assert (ROOT / c["build"]["context"] / c["build"]["dockerfile"]).is_file()
        else:
            assert "build" not in c, name


def test_a_container_may_do_nothing_it_does_not_need(deployed: Containers) -> None:
    for name, c in deployed.items():
        assert c["read_only"] is True, name
        assert c["cap_drop"] == ["ALL"], name
        assert c["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(c), name
        if name not in ours(deployed):  # ours says so itself: test_image.py
            assert c["user"].partition(":")[0] not in {"", "0", "root"}, name
    assert "docker.sock" not in COMPOSE.read_text()


# -- Secrets -----------------------------------------------------------------------------------------


def test_no_secret_is_written_down(deployed: Containers) -> None:
    for name, c in raw()["services"].items():
        for variable, value in variables(c).items():
            if SECRET.search(variable):
                assert re.fullmatch(r"\$\{\w+:\?run deploy/secrets\.sh\}", value), (name, variable)
            if "@" in str(value):
                assert re.search(r"://\w+:\$\{\w+:\?[^}]+\}@", value), (name, variable)
        assert not SECRET.search(" ".join(map(str, c.get("command", [])))), name
    assert deployed


def test_without_the_passwords_nothing_starts(passwords: dict[str, str]) -> None:
    assert mentioned(raw()) - set(passwords) == {"GATEWAY_PORT", "GRAFANA_PORT"}
    assert set(passwords) <= mentioned(raw())
    for name in passwords:
        with pytest.raises(NotGiven, match=name):
            containers({**passwords, name: ""})
