"""What an operator does at the terminal: tell an issue's life, see what is parked, decide about it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateway.picture import STYLE_HASH
from services.rectification import projection
from services.rectification.app import service as rectification
from services.stack import Stack, running
from shared.embedded import Embedded
from shared.envelope import Record
from shared.runtime import Runtime, Service
from shared.settings import Settings
from tests.live.command import taizhang
from tests.live.school import ISSUE, School, enrolled

pytestmark = pytest.mark.live

PATIENCE = 120  # seconds


def tripping(over: set[str]) -> Service:
    """Rectification with a ledger that cannot fold some issues once they are claimed."""

    def project(card: Any, record: Record) -> Any:
        if record.stream in over and record.version > 1:
            raise ZeroDivisionError
        return projection.issues.project(card, record)

    broken = replace(projection.issues, project=project)
    views = tuple(broken if v is projection.issues else v for v in rectification.views)
    return replace(rectification, views=views)


async def exchanged(stack: Stack, service: Service) -> None:
    """Stop rectification and start it in another form."""
    await stack.runtimes["rectification"].stop()
    stack.runtimes["rectification"] = Runtime.of(service, stack.settings)
    await stack.runtimes["rectification"].start()


async def stage(school: School, issue: str) -> str:
    return str((await school.get("clerk", f"/issues/{issue}"))["stage"])


@asynccontextmanager
async def parked(settings: Settings, count: int) -> AsyncIterator[tuple[School, list[str]]]:
    """A school where so many issues were claimed, and the ledger has not taken it in."""
    over: set[str] = set()
    async with running(settings) as stack, enrolled(stack) as school:
        await exchanged(stack, tripping(over))
        for _ in range(count):
            over.add(str((await school.do("clerk", "/issues", ISSUE))["id"]))
        issues = sorted(over)
        for issue in issues:
            await school.do("member", f"/issues/{issue}/claim")
        await school.settle()
        yield school, issues


async def test_a_life_is_told_and_drawn_for_who_may_know_it(school: School, tmp_path: Path) -> None:
    issue = str((await school.do("clerk", "/issues", ISSUE))["id"])
    await school.do("member", f"/issues/{issue}/claim")
    await school.settle()
    place = ("--school", school.id, "--url", school.stack.url)
    token, settings = school.tokens["clerk"], school.stack.settings

    told = await taizhang(settings, "biography", issue, *place, TAIZHANG_TOKEN=token)
    data = await taizhang(settings, "biography", issue, *place, "--json", TAIZHANG_TOKEN=token)
    unknown = await taizhang(settings, "biography", "nothing", *place, TAIZHANG_TOKEN=token)
    nobody = await taizhang(settings, "biography", issue, *place, TAIZHANG_TOKEN="nonsense")
    away = ("--school", school.id, "--url", "http://127.0.0.1:1")
    silent = await taizhang(settings, "biography", issue, *away, TAIZHANG_TOKEN=token)
    picture, closed = tmp_path / "issue.svg", tmp_path / "none" / "issue.svg"
    ask = ("biography", issue, *place, "--svg")
    drawn, nowhere, hidden = await asyncio.gather(
        taizhang(settings, *ask, str(picture), TAIZHANG_TOKEN=token),
        taizhang(settings, *ask, str(closed), TAIZHANG_TOKEN=token),
        taizhang(settings, *ask, str(closed), TAIZHANG_TOKEN="nonsense"),
    )
    path = f"/issues/{issue}/biography"
    opened = await school.ask("clerk", "GET", f"{path}?format=svg", None)
    accepted = await school.ask("clerk", "GET", path, None, Accept="image/svg+xml")
    wrong = await school.ask("clerk", "GET", f"{path}?format=png", None)

    assert (told.code, told.err) == (0, "")
    assert "操场的灯坏了" in told.out
    assert [e["type"] for e in json.loads(data.out)["items"]] == [
        "rectification.issue.opened.v1",
        "rectification.issue.claimed.v1",
    ]
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err.endswith("(not-found)\n")
    assert (nobody.code, nobody.err.endswith("(unauthenticated)\n")) == (1, True)
    assert (silent.code, silent.out) == (2, "")
    assert silent.err.startswith("taizhang: http://127.0.0.1:1 does not answer")
    assert silent.err.count("\n") == 1
    assert (drawn.code, drawn.out) == (0, f"{picture}\n"), drawn.err
    assert picture.read_bytes() == opened.content == accepted.content
    assert "操场的灯坏了" in opened.text
    assert opened.headers["content-type"] == "image/svg+xml"
    assert opened.headers["x-content-type-options"] == "nosniff"
    only_its_style = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; sandbox"
    assert opened.headers["content-security-policy"] == only_its_style
    assert int(opened.headers["taizhang-position"]) >= school.position
    assert (wrong.status_code, wrong.json()["fields"][0]["field"]) == (422, "format")
    assert (nowhere.code, nowhere.err.count("\n"), closed.exists()) == (2, 1, False)
    assert (hidden.code, hidden.err.endswith("(unauthenticated)\n")) == (1, True)


async def test_what_is_parked_is_listed_replayed_or_skipped(
    own_servers: tuple[Embedded, Settings],
) -> None:
    settings = own_servers[1]
    async with parked(settings, 2) as (school, (again, never)):
        view = f"rectification.{projection.issues.collection}"
        ids = [f"{view} evt.{school.id}.rectification.issue.{i}" for i in (again, never)]
        assert await stage(school, again) == await stage(school, never) == "open"

        listed = await taizhang(settings, "parked", "list")
        data = await taizhang(settings, "parked", "list", "--json")
        replayed = await taizhang(settings, "parked", "replay", ids[0])
        skipped = await taizhang(settings, "parked", "skip", ids[1])
        nothing = await taizhang(settings, "parked", "skip", "nothing")
        decided = await taizhang(settings, "parked", "list")
        assert (replayed.code, skipped.code) == (0, 0), replayed.err
        await exchanged(school.stack, rectification)
        async with asyncio.timeout(PATIENCE):
            while await stage(school, again) == "open":
                await asyncio.sleep(0.05)
        after = await taizhang(settings, "parked", "list")

        assert listed.code == 1
        assert listed.out.splitlines() == [f"{id_}: ZeroDivisionError:" for id_ in ids]
        items = json.loads(data.out)["parked"]
        assert [item["_id"] for item in items] == ids
        assert all(item["position"] and item["service"] == "rectification" for item in items)
        said = f"{ids[0]} is taken up when rectification is started again\n"
        assert (replayed.code, replayed.out) == (0, said)
        said = f"{ids[1]} is left out by rectification and stays on record\n"
        assert (skipped.code, skipped.out) == (0, said)
        assert (nothing.code, nothing.out) == (1, "")
        assert nothing.err == "taizhang: nothing parked as nothing\n"
        assert decided.code == 1
        assert [line.rpartition(" ")[2] for line in decided.out.splitlines()] == [
            "(replay)",
            "(skip)",
        ]
        assert (after.code, after.out) == (0, f"{ids[1]}: ZeroDivisionError: (skip)\n")
        assert await stage(school, again) == "owned"
        assert await stage(school, never) == "open"
