"""deploy/nats.conf as written: one service is like another, so that a slip in one of them is seen."""

import re

import pytest

from services.stack import SERVICES
from shared.embedded import NATS_CONF

TEXT = re.sub(r"(^|\s)#.*", "", NATS_CONF.read_text())
NAMES = [service.name for service in SERVICES]


def without_durables(text: str) -> list[str]:
    """The lines that are not about a policy's durable."""
    ours = {f"{s.name}-{policy.name}" for s in SERVICES for policy in s.policies}
    return [line for line in text.splitlines() if not any(f".{name}" in line for name in ours)]


def anonymous(lines: list[str], name: str) -> list[str]:
    """Lines with a service's name taken out."""
    return [re.sub(name, "…", line, flags=re.IGNORECASE) for line in lines]


def account(name: str) -> list[str]:
    """What is written in a service's own account."""
    found = re.search(rf"^  {name.upper()} \{{\n(.*?)^  \}}$", TEXT, re.MULTILINE | re.DOTALL)
    assert found, name
    return anonymous(without_durables(found[1]), name)


def elsewhere(name: str) -> list[str]:
    """What the accounts of the log, the clock and the gateway say of a service alone."""
    alone = [line for line in without_durables(TEXT) if not re.search(r"\[\w+, \w+, ", line)]
    word = re.compile(rf"(?<![a-z]){name}(?![a-z])", re.IGNORECASE)
    return anonymous([line for line in alone if word.search(line)], name)


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_service_is_configured_as_every_other(name: str) -> None:
    assert account(name) == account(NAMES[0])
    assert elsewhere(name) == elsewhere(NAMES[0])


def test_what_is_for_services_is_for_all_of_them() -> None:
    lists = [found.split(", ") for found in re.findall(r"accounts: \[(.+?)\]", TEXT)]
    accounts = [name.upper() for name in NAMES]
    shared = [named for named in lists if len(named) > 1 and set(named) & set(accounts)]
    assert len(shared) == 4
    for named in shared:
        assert named[: len(accounts)] == accounts


def test_a_policys_durable_is_for_its_service_and_its_exports_and_imports_agree() -> None:
    for service in SERVICES:
        for policy in service.policies:
            durable = f"EVENTS.{service.name}-{policy.name}"
            wanted = {
                f"$JS.API.CONSUMER.INFO.{durable}",
                f"$JS.API.CONSUMER.MSG.NEXT.{durable}",
                f"$JS.ACK.{durable}.>",
            }
            named = re.findall(rf'"(\S*{durable}\S*)"', TEXT)
            assert set(named) == wanted
            assert len(named) == 3 * len(wanted)  # exported, imported, permitted
            exported = re.findall(rf'service: "(\S*{durable}\S*)", accounts: \[(\w+)\]', TEXT)
            assert {to for _, to in exported} == {service.name.upper()}
