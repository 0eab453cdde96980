"""A deployment's key that does not fit: nothing starts, nothing waits for ever, nothing is made anew."""

import asyncio
import logging
import os
import secrets
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from services.campaign.app import service as campaign
from services.stack import Stack, provisioned, running
from shared.broker import Broker
from shared.embedded import Embedded
from shared.mongo import Mongo
from shared.privacy import Keyring, Rotation, WrongKey
from shared.runtime import Runtime
from shared.settings import Settings
from tests.live.command import taizhang
from tests.live.school import enrolled
from tests.live.test_erasure import erase, gone

pytestmark = [pytest.mark.live, pytest.mark.long]

ROOT = Path(__file__).parents[2]


def started(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """`taizhang up` on data whose key does not fit, or another command: it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *(command or ("up",)), "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_nothing_starts_without_the_right_key_and_nobody_erased_comes_back_with_an_old_one(
    own_servers: tuple[Embedded, Settings],
) -> None:
    embedded, settings = own_servers
    async with running(settings) as stack, enrolled(stack) as school:
        person = await gone(school)
        await school.settle()
        key = f"{school.id}/person.{person}"
        keys = stack.runtimes["campaign"].mongo.keep("keys")
        backup = await keys.get(key)
        await erase(school, person)
        await school.settle()
        assert backup is not None
        await keys.put(backup)
    embedded.stop()
    right = settings.key_file.read_text()

    settings.key_file.write_text(secrets.token_hex(32))
    wrong = started(embedded.data)
    settings.key_file.unlink()
    missing = started(embedded.data)
    made = settings.key_file.exists()
    settings.key_file.write_text(right)

    for ended, words in ((wrong, "is not the one"), (missing, "is missing")):
        assert ended.returncode == 2, ended.stderr
        assert words in ended.stderr
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert not made

    rotated = started(embedded.data, "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert settings.key_file.read_text() != right
    assert settings.key_file.stat().st_mode & 0o077 == 0
    [old] = [p for p in embedded.data.glob("deployment.key.*") if p.read_text() == right]
    assert str(old) in rotated.stdout
    assert right not in rotated.stdout + rotated.stderr
    embedded.start()
    async with running(settings) as stack:
        school.stack = stack
        async with httpx.AsyncClient(base_url=stack.url) as school.client:
            assert (await school.get("clerk", "/school"))["name"] == "示范中学"
            entry = await school.get("clerk", f"/people/{person}")
            assert entry["name"] == {"masked": "erased"}
        keys = stack.runtimes["campaign"].mongo.keep("keys")
        assert await keys.get(key) == {"_id": key, "erased": True}


async def test_a_key_that_does_not_open_what_is_there_is_said_to_everyone_who_waits(
    servers: Settings, tmp_path: Path
) -> None:
    mongo = Mongo(servers.mongo_url, f"d{uuid4().hex[:8]}")
    here, other = f"s-{uuid4().hex[:8]}", f"s-{uuid4().hex[:8]}"
    await Keyring(mongo, secrets.token_bytes(32)).ensure(f"{here}/person.1")
    ring = Keyring(mongo, secrets.token_bytes(32))
    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(
            *(ring.ensure(f"{school}/person.1") for school in (here, here, other)),
            ring.ensure(f"{here}/person.1"),
            return_exceptions=True,
        )
        with pytest.raises(WrongKey):
            await ring.find([f"{here}/person.1"])
        with pytest.raises(WrongKey):
            await ring.unlock(tmp_path / "another.key")
    mongo.close()

    assert not (tmp_path / "another.key").exists()

    assert [type(outcome) for outcome in outcomes] == [WrongKey, WrongKey, bytes, WrongKey]


async def test_a_rotation_that_was_interrupted_goes_on_and_nothing_starts_before_it_is_over(
    servers: Settings, tmp_path: Path
) -> None:
    mongo = Mongo(servers.mongo_url, f"d{uuid4().hex[:8]}")
    file = tmp_path / "deployment.key"
    ring = Keyring(mongo)
    await ring.unlock(file)
    before = file.read_text()
    names = [f"s-1/person.{n:04}" for n in range(700)]
    keys = dict(zip(names, await asyncio.gather(*map(ring.ensure, names)), strict=True))
    await ring.destroy(names[:1])
    rotation = Rotation(mongo, file)

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    assert await rotation.begin()
    with pytest.raises(KeyboardInterrupt):
        await rotation.run(killed)
    assert file.read_text() == before
    with pytest.raises(WrongKey, match="keys rotate"):
        await Keyring(mongo).unlock(file)

    assert not await Rotation(mongo, file).begin()
    count, former = await Rotation(mongo, file).run()

    after = Keyring(mongo)
    await after.unlock(file)
    assert (count, former.read_text()) == (699, before)
    assert file.read_text() != before
    assert {path.name for path in rotation.file.parent.iterdir()} == {file.name, former.name}
    assert await after.find(names) == {name: keys[name] for name in names[1:]}
    with pytest.raises(WrongKey):
        await Keyring(mongo, bytes.fromhex(before)).find(names[-1:])
    mongo.close()


class Meanwhile(Broker):
    """A broker that is reached when a rotation has been begun."""

    rotation: Rotation

    async def open(self) -> None:
        """Connect, too late to be seen by whoever began it."""
        assert await self.rotation.begin()
        await super().open()


async def test_a_service_that_starts_as_a_rotation_is_begun_does_not_go_on(
    own_servers: tuple[Embedded, Settings],
) -> None:
    _, settings = own_servers
    await provisioned(settings)
    late = Runtime.of(campaign, settings)
    password = settings.password("campaign")
    late.broker = Meanwhile(settings.nats_url, "campaign", password, logging.warning)
    late.broker.rotation = Rotation(late.mongo, settings.key_file)
    try:
        with pytest.raises(WrongKey, match="keys rotate"):
            await late.start()
    finally:
        await late.stop()


async def test_while_a_service_runs_nothing_is_rotated(stack: Stack) -> None:
    before = stack.settings.key_file.read_text()

    ended = await taizhang(stack.settings, "keys", "rotate")

    assert (ended.code, ended.out) == (2, "")
    assert "stop every service first: campaign" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert stack.settings.key_file.read_text() == before
    mongo = stack.runtimes["campaign"].mongo
    assert await mongo.keep("rotation").find({}) == []


async def test_a_file_without_a_key_is_left_alone(servers: Settings, tmp_path: Path) -> None:
    mongo = Mongo(servers.mongo_url, f"d{uuid4().hex[:8]}")
    path = tmp_path / "deployment.key"
    path.write_text("not a key")

    with pytest.raises(WrongKey, match="64 hex"):
        await Keyring(mongo).unlock(path)
    mongo.close()

    assert path.read_text() == "not a key"


async def test_a_service_takes_the_key_that_another_one_has_just_made(
    servers: Settings, tmp_path: Path
) -> None:
    mongos = [Mongo(servers.mongo_url, f"d{uuid4().hex[:8]}")] * 8
    rings = [Keyring(mongo) for mongo in mongos]

    await asyncio.gather(*(ring.unlock(tmp_path / "keys" / "deployment.key") for ring in rings))

    assert len({ring.deployment for ring in rings}) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["deployment.key"]
    mongos[0].close()
