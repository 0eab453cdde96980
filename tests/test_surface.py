"""What holds for every command, query and refusal of every service."""

from importlib import import_module
from pathlib import Path

import pytest

from services.campaign.events import Role
from services.gateway.app import Gateway
from services.gateway.forms import TABLES
from services.gateway.openapi import rights
from services.gateway.problems import STATUS
from services.stack import SERVICES
from shared.decider import Command, Rejected, wire
from shared.runtime import Query
from shared.settings import Settings
from tests.scenario import Laws

ROLES = {role.value for role in Role} | {
    "person",
    "operator",
    "service",
    "originator",
    "anonymous",
    "bureau",
    "granted_bureau",
}
COMMANDS = [c for service in SERVICES for _, c in service.commands().values()]
QUERIES = [q for service in SERVICES for q in service.queries]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_a_command_says_what_it_is_and_who_may(command: type[Command]) -> None:
    assert command.__doc__
    assert not command.zh.isascii()
    assert command.allowed
    assert set(map(str, command.allowed)) <= ROLES


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.__name__)
def test_a_query_says_what_it_is_and_who_may(query: type[Query]) -> None:
    assert query.__doc__
    assert not query.zh.isascii()
    assert query.allowed
    assert set(map(str, query.allowed)) <= ROLES


@pytest.mark.parametrize("rule", Rejected.known.values(), ids=Rejected.known)
def test_a_refusal_speaks_both_languages(rule: type[Rejected]) -> None:
    assert rule.__doc__
    assert rule.__doc__.strip().split("\n")[0].isprintable()
    assert not rule.zh.isascii()
    assert rule.zh != Rejected.zh


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_a_sender_can_set_neither_who_nor_when_nor_what_is_derived(command: type[Command]) -> None:
    fields = wire(command).model_fields
    assert not fields.keys() & {
        "by", "at", "stream", "salt", "verbatim_sha256", "length", "number_index", "account",
    }  # fmt: skip


def test_no_kind_of_stream_is_without_laws() -> None:
    for path in Path(__file__).parent.glob("*/test_*.py"):
        if "check_it_ends_where_its_events_say(" in path.read_text():
            import_module(f"tests.{path.parent.name}.{path.stem}")

    assert {s.decider.category for service in SERVICES for s in service.streams} <= Laws.tried


def test_names_on_the_wire_are_one_services_own() -> None:
    for service in SERVICES:
        count = sum(len(s.decider.members(s.decider.commands)) for s in service.streams)
        assert len(service.commands()) == count


def test_no_two_doors_are_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    issuer = tmp_path_factory.mktemp("keys") / "issuer.pem"
    gateway = Gateway(Settings(issuer_file=issuer), SERVICES)

    doors = [(route.method, route.path) for route in gateway.routes]

    assert len(doors) == len(set(doors))
    assert len({route.name for route in gateway.routes}) == len(doors)


def test_every_door_is_in_the_openapi_document(tmp_path_factory: pytest.TempPathFactory) -> None:
    issuer = tmp_path_factory.mktemp("keys") / "issuer.pem"
    gateway = Gateway(Settings(issuer_file=issuer), SERVICES)

    document = gateway.app.openapi()

    assert document["openapi"].startswith("3.1")
    for route in gateway.routes:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation["x-allowed"] == sorted(map(str, route.kind.allowed))
        takes = operation.get("requestBody", {}).get("content", {})
        assert bool(takes) == (route.method == "POST")
        asked = {parameter["name"] for parameter in operation["parameters"]}
        if route.path.endswith("/import"):
            assert set(takes) == set(TABLES)
            assert "Idempotency-Key" not in asked  # every row has its own
        assert asked >= {"Taizhang-Min-Position", "Prefer"}
        answers = set(operation["responses"]["200"]["content"])
        pictured = route.name == "issue-biography"
        listed = route.method == "GET" and {"after", "limit"} <= asked and route.name != "overview"
        assert (set(TABLES) <= answers, "image/svg+xml" in answers) == (listed, pictured)
        assert ("format" in asked) == (listed or pictured)
        assert ("dry_run" in asked) == issubclass(route.kind, Command)
    text = str(document)
    assert "number_index" not in text
    assert set(document["components"]["schemas"]) >= {"ClaimIssue", "SubmitOpinion", "EnterPerson"}


def test_the_table_of_rights_is_the_one_in_the_docs(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    issuer = tmp_path_factory.mktemp("keys") / "issuer.pem"
    gateway = Gateway(Settings(issuer_file=issuer), SERVICES)

    written = (Path(__file__).parents[1] / "docs" / "rights.md").read_text()

    assert written == rights(gateway.routes), "run `make rights`"


def test_every_status_belongs_to_a_known_code() -> None:
    codes = {rule.code for rule in Rejected.known.values()}
    assert set(STATUS) - {"unavailable", "internal"} <= codes
