"""The log of a real server, signed, then damaged in every way it can be: `taizhang verify` names each.

One data directory is prepared and copied; only the log's server runs.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import pytest

from services.audit.app import service as audit
from services.audit.keeper import Keeper
from services.audit.keys import NoKey, public_file, public_keys, signing_key
from services.audit.shelf import Shelf
from services.audit.verify import Reading, Report, verify
from services.stack import provisioned
from shared.broker import EVENTS, Broker, Stored
from shared.decider import Unavailable
from shared.embedded import Embedded
from shared.journal import LogDamaged
from shared.merkle import HASH, stored_at
from shared.note import COSIGNATURE, Note, SigningKey
from shared.provision import operator
from shared.replay import as_of
from shared.runtime import now
from shared.settings import Settings
from tests.audit.history import LENGTH, found, log, renumbered
from tests.live.command import taizhang
from tests.live.school import School

pytestmark = pytest.mark.live

OLDER = 7
"""How long the older copy is."""
LOG = log()


@asynccontextmanager
async def user(settings: Settings, name: str) -> AsyncIterator[Broker]:
    broker = Broker(settings.nats_url, name, settings.password(name))
    await broker.open()
    try:
        yield broker
    finally:
        await broker.close()


@contextmanager
def running(data: Path) -> Iterator[Settings]:
    """The log's server on its files, until the block ends."""
    embedded = Embedded(data)
    try:
        yield embedded.start(mongo=False)
    finally:
        embedded.stop()


async def record(settings: Settings, events: Sequence[Stored]) -> None:
    """Have the owner of the streams append these, as they are."""
    async with user(settings, "rectification") as broker:
        for stored in events:
            await broker.publish(stored.subject, stored.body, stored.headers)


async def seal(settings: Settings) -> Keeper:
    """Have audit sign what there is."""
    async with user(settings, "audit") as broker:
        keeper = Keeper(settings, broker)
        await keeper.begin()
        await keeper.seal()
    return keeper


async def check(settings: Settings, **how: int) -> Report:
    keys = public_keys(public_file(settings.audit_key_file))
    reading, shelf = Reading(partial(operator, settings), **how), Shelf(settings.audit_directory)
    return await verify(reading, shelf, keys, replicas=settings.replicas)


async def rewrite(settings: Settings, events: Sequence[Stored]) -> None:
    """Do what only an operator can: take the whole log away and write another one."""
    async with operator(settings) as broker:
        await broker.api(f"STREAM.DELETE.{EVENTS}")
    await provisioned(settings)
    await record(settings, events)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a stopped server: `older` when the log was shorter, `data` as it is, signed both times."""
    place = tmp_path_factory.mktemp("audited")
    asyncio.run(_prepare(place))
    return place


async def _prepare(place: Path) -> None:
    with running(place / "data") as settings:
        await provisioned(settings)
        await record(settings, LOG[:OLDER])
        await seal(settings)
    shutil.copytree(place / "data", place / "older")
    with running(place / "data") as settings:
        await record(settings, LOG[OLDER:])
        await seal(settings)


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A copy to do harm to."""
    return Path(shutil.copytree(prepared / "data", tmp_path / "data"))


async def test_the_command_finds_nothing_in_files_nobody_touched_and_a_flipped_byte_in_others(
    data: Path,
) -> None:
    good = await taizhang(Settings(), "verify", "--data", str(data), "--json")
    block = next(b for b in (data / "nats").rglob("*.blk") if b'"text"' in b.read_bytes())
    stored = bytearray(block.read_bytes())
    place = stored.index("好 5".encode())
    stored[place] ^= 1
    block.write_bytes(stored)
    bad = await taizhang(Settings(), "verify", "--data", str(data), "--json")

    assert (good.code, good.err) == (0, "")
    report = json.loads(good.out)
    assert (report["good"], report["events"], report["checkpoints"]) == (True, LENGTH, 2)
    assert report["sealed"] == LENGTH
    assert (bad.code, bad.err) == (1, "")
    wrong = json.loads(bad.out)
    assert not wrong["good"]
    assert {"check": "contiguity", "position": 5, "stream": "", "detail": "missing: 5"} in wrong[
        "findings"
    ]


async def test_processes_that_share_the_log_find_what_one_does(data: Path) -> None:
    with running(data) as settings:
        headers = {"ce-prevhash": "0" * 64, "Nats-Msg-Id": "another"}
        forged = replace(LOG[4], headers={**LOG[4].headers, **headers})
        await record(settings, [forged])
        alone = await check(settings)
        shared = await check(settings, processes=2, stretch=5)
    assert not alone.good
    assert alone.as_data() == shared.as_data()


@asynccontextmanager
async def lost(settings: Settings) -> AsyncIterator[Broker]:
    """The operator's connection, unless a helper asks for it: that one is ended from outside."""
    if parent_process():
        os.kill(os.getpid(), signal.SIGKILL)
    async with operator(settings) as broker:
        yield broker


async def test_a_helper_that_is_lost_ends_the_check(data: Path) -> None:
    with running(data) as settings:
        reading = Reading(partial(lost, settings), processes=2, stretch=5)
        with pytest.raises(Unavailable):
            await verify(reading, Shelf(settings.audit_directory), [], replicas=1)


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_server_that_goes_away_in_the_middle_ends_the_check(
    data: Path, processes: int
) -> None:
    with running(data) as settings:
        stretches = Reading(partial(operator, settings), processes, stretch=2)(LENGTH)
        await anext(stretches)

    async def the_rest() -> None:
        async for _ in stretches:
            pass

    with pytest.raises(Unavailable):
        await the_rest()


async def test_a_restored_older_copy_is_found_and_is_never_signed(
    prepared: Path, data: Path
) -> None:
    shutil.rmtree(data / "nats")
    shutil.copytree(prepared / "older" / "nats", data / "nats")
    with running(data) as settings:
        shorter = await check(settings)
        with pytest.raises(LogDamaged, match=f"ends at {OLDER}, but {LENGTH} were signed"):
            await seal(settings)
        await record(settings, log(LENGTH + 2, after=LOG[:OLDER], said="又")[OLDER:])
        longer = await check(settings)
        with pytest.raises(LogDamaged, match=f"position {LENGTH} is not what was signed"):
            await seal(settings)
        Shelf(settings.audit_directory).nodes_file.unlink()
        with pytest.raises(LogDamaged, match=f"the log up to {LENGTH} is not what was signed"):
            await seal(settings)

    assert found(shorter) == {("length", LENGTH)}
    assert shorter.sealed == OLDER
    assert {("tree", n) for n in range(OLDER + 1, LENGTH + 1)} == found(longer)
    assert longer.counts.keys() == {"tree"}  # reused positions: every chain fits


async def test_a_log_that_was_written_anew_is_found(data: Path) -> None:
    replaced = log(after=LOG[:4], said="坏")
    swapped = renumbered([*LOG[:4], LOG[5], LOG[4], *LOG[6:]])
    with running(data) as settings:
        await rewrite(settings, replaced)
        of_replaced = await check(settings)
        await rewrite(settings, swapped)
        of_swapped = await check(settings)
        await rewrite(settings, [])
        of_emptied = await check(settings)
        async with operator(settings) as broker:
            await broker.api(f"STREAM.DELETE.{EVENTS}")
        of_nothing = await check(settings)

    assert {("tree", n) for n in range(5, LENGTH + 1)} <= found(of_replaced)
    assert {("tree", 5), ("tree", 6)} <= found(of_swapped)
    assert found(of_emptied) == {("length", OLDER), ("length", LENGTH)}
    assert {("drift", 0), ("length", 0), ("length", LENGTH)} <= found(of_nothing)


async def test_forged_events_and_a_changed_configuration_are_found(data: Path) -> None:
    last = LOG[-1]
    borrowed = Stored(0, last.subject, {**last.headers, "Nats-Msg-Id": "x"}, b'{"text":"x"}')
    stray = Stored(0, "evt.s1.rectification.issue.i-9", {}, b"")
    with running(data) as settings:
        await record(settings, [borrowed, stray, log(LENGTH + 1)[-1]])
        async with operator(settings) as broker:
            config = (await broker.api(f"STREAM.INFO.{EVENTS}"))["config"]
            await broker.api(f"STREAM.UPDATE.{EVENTS}", {**config, "max_age": 10**15})
            then = await as_of(broker, (audit,), "audit.directory", "s1", "school", moment=now())
        report = await check(settings)
        keeper = await seal(settings)
        after = await check(settings)

    assert then is None  # what is no event is passed over
    assert {("hash", 13), ("chain", 13), ("version", 13), ("form", 14)} <= found(report)
    assert [f.detail for f in report.findings if f.check == "drift"] == [
        "EVENTS.max_age: 1000000000000000 instead of 0"
    ]
    assert keeper.sealed
    assert keeper.sealed.size == after.sealed == LENGTH + 3  # what is no event is a leaf as well


async def test_what_cannot_be_written_is_written_later_and_nothing_is_lost(data: Path) -> None:
    with running(data) as settings:
        async with user(settings, "audit") as broker:
            keeper = Keeper(settings, broker)
            await keeper.begin()
            await record(settings, log(LENGTH + 2)[LENGTH:])
            nodes, aside = keeper.shelf.nodes_file, data / "aside"
            before = nodes.read_bytes()
            nodes.rename(aside)
            nodes.symlink_to("/dev/full")
            with pytest.raises(OSError, match="nodes are gone"):
                await keeper.seal()
            with pytest.raises(OSError, match="No space left"):
                await keeper.seal()
            nodes.unlink()
            aside.rename(nodes)
            checkpoints = keeper.shelf.checkpoints
            checkpoints.rename(aside)
            checkpoints.touch()
            with pytest.raises(OSError, match="exists"):
                await keeper.seal()
            checkpoints.unlink()
            aside.rename(checkpoints)
            await keeper.seal()
        report = await check(settings)

    assert nodes.read_bytes().startswith(before)
    assert (report.good, report.sealed) == (True, LENGTH + 2)


async def test_a_witness_may_sign_too_and_one_that_is_away_is_not_waited_for(data: Path) -> None:
    witness = SigningKey.of("witness.example/1", bytes([7] * 32), type_=COSIGNATURE)
    stranger = SigningKey.of("stranger.example", bytes([8] * 32), type_=COSIGNATURE)
    got: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        got.append((await reader.readexactly(length)).decode())
        text = Note.read(got[-1].encode()).text
        lines = stranger.sign(text, at=1) + witness.sign(text, at=1) + "nonsense\n"
        body = lines.replace("\n", "\r\n").encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with running(data) as embedded:
            with public_file(embedded.audit_key_file).open("a") as keys:
                keys.write(f"{witness.public}\n")
            settings = embedded.with_changes(audit_webhook=f"http://127.0.0.1:{port}/")
            await record(settings, log(LENGTH + 1)[LENGTH:])
            keeper = await seal(settings)
            await record(settings, log(LENGTH + 2)[LENGTH + 1 :])
            await seal(embedded.with_changes(audit_webhook="http://127.0.0.1:1/"))
            report = await check(embedded)

    assert got == [keeper.note]
    cosigned = (keeper.shelf.checkpoints / f"{LENGTH + 1:019}.cosigned").read_bytes()
    known = public_keys(public_file(embedded.audit_key_file))
    assert [key.name for key in Note.read(cosigned).signers(known)] == [
        "taizhang/log", "witness.example/1",
    ]  # fmt: skip
    assert b"stranger" not in cosigned
    assert (report.good, report.sealed) == (True, LENGTH + 2)


async def test_the_tree_is_made_again_from_the_log_and_a_lost_key_is_not(data: Path) -> None:
    with running(data) as settings:
        kept = Shelf(settings.audit_directory).nodes_file
        kept.unlink()
        again = await seal(settings)
        nodes = bytearray(kept.read_bytes())
        nodes[HASH * stored_at(3, 0)] ^= 1
        kept.write_bytes(nodes)
        await record(settings, log(LENGTH + 1)[LENGTH:])
        further = await seal(settings)
        settings.audit_key_file.unlink()
        with pytest.raises(NoKey, match="restore it"):
            await seal(settings)
        report = await check(settings)

    assert again.sealed
    assert again.sealed.size == again.tree.size == LENGTH
    assert further.sealed
    assert further.sealed.size == LENGTH + 1
    assert (report.good, report.sealed) == (True, LENGTH + 1)


async def test_keys_are_made_once_for_the_owner_only_and_the_secret_is_not_told(
    tmp_path: Path,
) -> None:
    key = tmp_path / "keys" / "audit.key"
    where = {
        "TAIZHANG_AUDIT_KEY_FILE": str(key),
        "TAIZHANG_AUDIT_DIRECTORY": str(tmp_path / "audit"),
    }
    first = await taizhang(Settings(), "keys", **where)
    secret = key.read_text().strip()
    again = signing_key(key, Settings().audit_origin)

    assert (first.code, first.err) == (0, "")
    assert key.stat().st_mode & 0o777 == 0o600
    assert again.text() == secret
    assert str(again.public) == first.out.strip()
    assert secret.rpartition("+")[2] not in first.out


# -- In the running product ------------------------------------------------------------------------------


async def sealed(school: School, position: int) -> Any:
    """The newest checkpoint, once it reaches a position."""
    async with asyncio.timeout(60):
        while True:
            newest = await school.get("clerk", "/audit/checkpoint")
            if newest["size"] >= position:
                return newest
            await asyncio.sleep(0.05)


async def test_a_third_party_proves_a_position_with_one_command(
    school: School, tmp_path: Path
) -> None:
    settings = school.stack.settings
    newest = await sealed(school, school.position)
    kept = tmp_path / "kept"
    kept.write_text(newest["checkpoint"])
    keys = tmp_path / "public"
    keys.write_text(f"{newest['key']}\n")
    await school.do("teacher", "/opinions", {"verbatim_text": "菜凉", "channel": "wechat"})
    await sealed(school, school.position)
    place = ("--school", school.id, "--url", school.stack.url)

    proved = await taizhang(
        settings, "proof", str(school.position), *place, "--kept", str(kept), "--keys", str(keys)
    )
    future = await taizhang(settings, "proof", str(10**9), *place, "--keys", str(keys))

    assert (proved.code, proved.err) == (0, "")
    assert f"位置 {school.position}" in proved.out
    assert "延续" in proved.out
    assert (future.code, future.out) == (1, "")
    assert "not-sealed" in future.err
    for path in ("inclusion?position=0", "inclusion", "inclusion?position=x", "consistency?old=-1"):
        assert (await school.ask("clerk", "GET", f"/audit/{path}")).status_code == 422
    for path in ("inclusion?position=5&size=4", "consistency?old=5&size=4"):
        assert (await school.ask("clerk", "GET", f"/audit/{path}")).status_code == 404
    assert (await school.ask(None, "GET", "/audit/checkpoint")).status_code == 200


async def test_a_directory_that_cannot_be_written_is_told_and_recording_goes_on(
    school: School,
) -> None:
    shelf = Shelf(school.stack.settings.audit_directory)
    aside = shelf.directory / "aside"
    await sealed(school, school.position)
    shelf.checkpoints.rename(aside)
    shelf.checkpoints.touch()
    try:
        await school.do("teacher", "/opinions", {"verbatim_text": "菜凉", "channel": "wechat"})
        async with asyncio.timeout(60):
            while "checkpoints" not in (said := await readiness(school)).get("audit", {}):
                await asyncio.sleep(0.05)
    finally:
        shelf.checkpoints.unlink()
        aside.rename(shelf.checkpoints)
    await sealed(school, school.position)

    assert said["audit"]["checkpoints"]
    assert "audit" not in await readiness(school)


async def readiness(school: School) -> dict[str, dict[str, str]]:
    answer = await school.client.get("/readyz", timeout=30)
    return dict(answer.json()["wrong"])
