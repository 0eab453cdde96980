"""Whatever a pack is made into, it is found; never a traceback, and never good."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit import unpack
from services.audit.pack import MEMBERS, Scope, written
from services.audit.unpack import Verdict
from shared.envelope import event_hash
from shared.merkle import HASH, between, stored_at
from shared.note import Checkpoint, SigningKey, b64
from tests.audit.history import KEY, log
from tests.audit.packs import (
    BOTH,
    CANTEEN,
    EVERY,
    LAMP,
    SCHOOL,
    TAP,
    campaign,
    checked,
    contents,
    packed,
    rewritten,
    shelf_of,
)

OURS = KEY.public
LIMITS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)

type Line = dict[str, Any]


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good pack of each scope; nobody may change them."""
    place = tmp_path_factory.mktemp("packs")
    shelf = shelf_of(place / "signed")
    scopes = {
        "small": Scope(school=SCHOOL, issue=TAP),
        "issue": Scope(school=SCHOOL, issue=CANTEEN),
        "school": Scope(school=SCHOOL),
        "log": Scope(),
    }
    for name, scope in scopes.items():
        packed(shelf, scope, place / name)
        assert checked(place / name, OURS).good
    return {name: place / name for name in scopes}


def of(content: bytes, place: Path) -> Verdict:
    """What is made of some bytes."""
    (place / "changed").write_bytes(content)
    return checked(place / "changed", OURS)


# -- The file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["small", "school"])
@LIMITS
@given(data=st.data())
def test_any_changed_byte_of_the_file_is_found(
    packs: dict[str, Path], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    content = bytearray(packs[name].read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    assert not of(bytes(content), tmp_path).good


@LIMITS
@given(data=st.data())
def test_a_pack_that_was_cut_off_or_added_to_is_found(
    packs: dict[str, Path], tmp_path: Path, data: st.DataObject
) -> None:
    content = packs["small"].read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    more = data.draw(st.binary(min_size=1, max_size=100))
    for changed in (content[:cut], content[cut + 1 :], content + more, more + content):
        assert of(changed, tmp_path).counts == {"structure": 1}


def zipped(members: dict[str, bytes], *more: str, compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in [*members.items(), *((name, b"") for name in more)]:
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return out.getvalue()


def without(members: dict[str, bytes], name: str, other: str = "") -> dict[str, bytes]:
    return {(other if n == name else n): c for n, c in members.items() if other or n != name}


STRANGE: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"taizhang\n" * 100,
    "no members": lambda _: zipped({}),
    "another zip": lambda _: zipped({"word/document.xml": b"<w/>"}),
    "compressed": lambda m: zipped(m, compression=zipfile.ZIP_DEFLATED),
    "a bomb": lambda m: zipped(
        m | {"events.jsonl": bytes(50_000_000)}, compression=zipfile.ZIP_DEFLATED
    ),
    "one missing": lambda m: zipped(without(m, "nodes")),
    "one more": lambda m: zipped(m, "readme"),
    "one more with a path": lambda m: zipped(m, "../../etc/cron.d/x"),
    "many more": lambda m: zipped(m, *(f"x{n}" for n in range(10_000))),
    "renamed": lambda m: zipped(without(m, "nodes", "knots")),
    "renamed to a path": lambda m: zipped(without(m, "nodes", "/nodes")),
    "another order": lambda m: zipped(dict(reversed(m.items()))),
    "by another program": zipped,
}


@pytest.mark.parametrize("how", STRANGE)
def test_a_file_that_is_not_written_as_a_pack_is_none(
    packs: dict[str, Path], tmp_path: Path, how: str
) -> None:
    verdict = of(STRANGE[how](contents(packs["small"])), tmp_path)
    assert verdict.counts == {"structure": 1}
    assert verdict.proved == verdict.not_proved == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_makes_it_none(packs: dict[str, Path], tmp_path: Path) -> None:
    content = zipped(contents(packs["small"]), "events.jsonl")
    assert of(content, tmp_path).counts == {"structure": 1}


def test_what_is_too_large_is_not_read(
    packs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = rewritten(packs["small"], tmp_path / "endless", events=b"x" * (unpack.LONGEST + 1))
    monkeypatch.setitem(unpack.MOST, "manifest.json", 10)
    large = checked(packs["small"], OURS)
    monkeypatch.undo()
    monkeypatch.setattr(unpack, "LARGEST", 10)
    larger = checked(packs["small"], OURS)
    monkeypatch.undo()
    monkeypatch.setattr(unpack, "MOST_CHECKPOINTS", 2)
    many = checked(packs["small"], OURS)
    monkeypatch.undo()
    assert many.counts == {"checkpoint": 1}
    assert "line that does not end" in checked(endless, OURS).findings[0].detail
    assert "manifest.json is larger than 10 bytes" in large.findings[0].detail
    assert "larger than the 10 bytes" in larger.findings[0].detail


def test_a_large_pack_is_not_held_in_memory(tmp_path: Path) -> None:
    large = log(60, said="好" * 60_000)
    packed(shelf_of(tmp_path / "signed", large), Scope(school="s1"), tmp_path / "pack", large)
    checked(tmp_path / "pack", OURS)
    tracemalloc.start()
    verdict = checked(tmp_path / "pack", OURS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (verdict.good, verdict.events) == (True, 60)
    assert (tmp_path / "pack").stat().st_size > 10_000_000
    assert peak < 4_000_000


def test_a_pack_with_nothing_in_it_is_not_good(packs: dict[str, Path], tmp_path: Path) -> None:
    nodes = shelf_of(tmp_path / "signed").nodes_file.read_bytes()
    every, at = b"", 0
    for stop in [json.loads(n).split("\n")[1] for n in lines(packs["school"], "checkpoints.jsonl")]:
        for level, number in between(at, int(stop)):
            place = HASH * stored_at(level, number)
            every += nodes[place : place + HASH]
        at = int(stop)
    said = {"events": 0, "nodes": len(every) // HASH}
    pack = rewritten(
        packs["school"], tmp_path / "pack", said, events=b"", nodes=every,
        schemas=b"{}", figures=b'{"schools":{}}',
    )  # fmt: skip
    assert checked(pack, OURS).counts == {"scope": 1}


def test_a_file_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        checked(tmp_path / "nothing", OURS)


# -- Events ----------------------------------------------------------------------------------------


def lines_of(pack: Path) -> list[Line]:
    return [json.loads(line) for line in lines(pack, "events.jsonl")]


def lines(pack: Path, name: str) -> list[bytes]:
    return contents(pack)[name].splitlines()


def jsonl(lines: list[Line]) -> bytes:
    return b"".join(written(line) + b"\n" for line in lines)


def hidden(lines: list[Line]) -> Line:
    return next(line for line in lines if "leaf" in line)


def shown(lines: list[Line], n: int = -1) -> Line:
    return [line for line in lines if "subject" in line][n]


def swapped(lines: list[Line]) -> None:
    lines[1], lines[2] = lines[2], lines[1]


def moved(lines: list[Line]) -> None:
    one, other = lines[1], lines[2]
    one["position"], other["position"] = other["position"], one["position"]
    swapped(lines)


def forged(lines: list[Line]) -> None:
    """Another body, and every hash of it made to fit."""
    line = shown(lines)
    line["body"] = line["body"].replace('"solved":"solved"', '"solved":"unsolved"')
    headers, body = line["headers"], line["body"].encode()
    headers["ce-eventhash"] = event_hash(line["subject"], headers, body)


def unlinked(lines: list[Line]) -> None:
    """An event of a stream in part that does not follow on the one before it, which is there."""
    _, line = (line for line in lines if line.get("subject", "").endswith(BOTH))
    line["headers"] |= {"ce-prevhash": "ab" * 32}
    headers = line["headers"]
    headers["ce-eventhash"] = event_hash(line["subject"], headers, line["body"].encode())


def of_another_log(lines: list[Line]) -> None:
    """The event that another log has at this place."""
    stranger = next(e for e in campaign() if e.subject.endswith(CANTEEN))
    line = next(line for line in lines if line.get("subject") == stranger.subject)
    line["headers"] = line["headers"] | {"ce-commandhash": "ab" * 32}
    headers = line["headers"]
    headers["ce-eventhash"] = event_hash(line["subject"], headers, line["body"].encode())


DEEDS: dict[str, tuple[Callable[[list[Line]], Any], set[str]]] = {
    "two in another order": (swapped, {"contiguity"}),
    "two in each other's place": (moved, {"tree"}),
    "one twice": (lambda all_: all_.insert(1, all_[1]), {"contiguity"}),
    "the first left out": (lambda all_: all_.pop(0), {"tree"}),
    "the last left out": (lambda all_: all_.pop(), {"tree"}),
    "all left out": (lambda all_: all_.clear(), {"tree"}),
    "another position": (lambda all_: all_[0].update(position=1), {"tree"}),
    "behind the checkpoint": (lambda all_: all_[-1].update(position=10**6), {"contiguity"}),
    "another body": (lambda all_: shown(all_).update(body="{}"), {"hash", "tree", "schema"}),
    "no body": (lambda all_: shown(all_).pop("body"), {"structure"}),
    "another way to write it": (lambda all_: shown(all_).update(base64="e30="), {"structure"}),
    "a forged body": (forged, {"tree"}),
    "a broken link": (unlinked, {"chain", "tree"}),
    "an event of another log": (of_another_log, {"tree", "chain"}),
    "another stream": (
        lambda all_: shown(all_).update(subject=f"evt.{SCHOOL}.rectification.issue.{LAMP}"),
        {"scope", "hash", "tree"},
    ),
    "no stream at all": (lambda all_: shown(all_).update(subject="x"), {"form", "tree"}),
    "another school": (
        lambda all_: shown(all_).update(subject=f"evt.s-9.rectification.issue.{CANTEEN}"),
        {"scope", "hash", "tree"},
    ),
    "a header more": (lambda all_: shown(all_)["headers"].update(x="y"), {"tree"}),
    "a header of the reading": (
        lambda all_: shown(all_)["headers"].update({"Nats-Stream": "EVENTS"}),
        {"structure"},
    ),
    "a header less": (lambda all_: shown(all_)["headers"].pop("Nats-Msg-Id"), {"tree"}),
    "no version": (lambda all_: shown(all_)["headers"].pop("ce-streamversion"), {"form", "tree"}),
    "an unknown type": (
        lambda all_: shown(all_)["headers"].update({"ce-type": "rectification.issue.gone.v9"}),
        {"schema", "hash", "tree"},
    ),
    "another leaf": (lambda all_: hidden(all_).update(leaf="A" * 43 + "="), {"tree"}),
    "no leaf": (lambda all_: hidden(all_).update(leaf="AAAA"), {"form"}),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_changes_events_and_writes_the_manifest_anew_is_found(
    packs: dict[str, Path], tmp_path: Path, deed: str
) -> None:
    lines = lines_of(packs["issue"])
    do, expected = DEEDS[deed]
    do(lines)
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", events=jsonl(lines)), OURS)
    assert expected <= verdict.counts.keys()
    assert verdict.figures is None
    assert not {"inclusion", "figures"} <= {said.about for said in verdict.proved}


def test_an_event_of_a_stream_that_is_not_named_is_named(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    told = json.loads(contents(packs["issue"])["manifest.json"])
    first = shown(lines_of(packs["issue"]), 0)
    left = {name: [s for s in told[name] if s != first["subject"]] for name in ("whole", "in_part")}
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", left), OURS)
    places = [(f.check, f.position, f.stream) for f in verdict.findings]
    assert ("scope", first["position"], first["subject"]) in places


def test_a_line_that_is_written_in_another_way_is_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    before = contents(packs["issue"])["events.jsonl"]
    for line in (hidden(lines_of(packs["issue"])), shown(lines_of(packs["issue"]))):
        after = before.replace(written(line), json.dumps(line, ensure_ascii=False).encode())
        assert after != before
        pack = rewritten(packs["issue"], tmp_path / "pack", events=after)
        assert checked(pack, OURS).counts == {"structure": 1}


def test_a_pack_of_a_school_withholds_nothing(packs: dict[str, Path], tmp_path: Path) -> None:
    lines = lines_of(packs["school"])
    told = json.loads(contents(packs["school"])["manifest.json"])
    at = lines[-1]["position"]
    with shelf_of(tmp_path / "signed").nodes() as node:
        lines[-1] = {"position": at, "leaf": b64(node(0, at - 1))}
    said = {"events": told["events"] - 1, "withheld": 1}
    pack = rewritten(packs["school"], tmp_path / "pack", said, events=jsonl(lines))
    assert checked(pack, OURS).counts.keys() == {"scope"}
    lies: tuple[dict[str, Any], ...] = ({"whole": []}, {"in_part": [f"evt.{SCHOOL}.talks.talk.x"]})
    for lie in lies:
        pack = rewritten(packs["school"], tmp_path / "pack", lie)
        assert checked(pack, OURS).counts == {"scope": 1}


def test_a_day_beyond_the_calendar_is_no_event_and_ends_nothing(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    lines = lines_of(packs["issue"])
    line = next(line for line in lines if '"due":' in line.get("body", ""))
    body = json.loads(line["body"])
    body["watch"]["due"]["at"] = "0001-01-01T00:00:00+14:00"
    line["body"] = json.dumps(body)
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", events=jsonl(lines)), OURS)
    assert {"hash", "tree"} <= verdict.counts.keys()
    assert {"form", "schema"} & verdict.counts.keys()


def test_a_log_with_positions_left_out_is_not_the_whole_log(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    """Nodes may stand for what a school's pack leaves out, never for what the whole log's does."""
    said = {"scope": {"school": None, "issue": None}, "whole": [">"]}
    verdict = checked(rewritten(packs["school"], tmp_path / "pack", said), OURS)
    assert verdict.counts == {"scope": 1}


# -- What stands beside the events -----------------------------------------------------------------


def test_nodes_that_are_others_or_too_few_or_too_many_are_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    nodes = contents(packs["issue"])["nodes"]
    for changed in (bytes(32) + nodes[32:], nodes[:-32], nodes[:-1], nodes + bytes(32), b""):
        verdict = checked(rewritten(packs["issue"], tmp_path / "pack", nodes=changed), OURS)
        assert "tree" in verdict.counts


def test_checkpoints_of_another_log_or_out_of_order_or_none_are_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    notes = contents(packs["issue"])["checkpoints.jsonl"].splitlines(keepends=True)
    stranger = SigningKey.of("other/log", bytes([2] * 32))
    theirs = written(Checkpoint("other/log", 3, bytes(32)).signed(stranger)) + b"\n"
    wrong = written(Checkpoint("taizhang/log", 3, bytes(32)).signed(KEY)) + b"\n"
    found = {}
    for name, changed in {
        "theirs": [theirs, *notes],
        "wrong": [wrong, *notes],
        "swapped": [notes[1], notes[0], *notes[2:]],
        "older": notes[:-1],
        "fewer": notes[1:],
        "none": [],
        "nonsense": [b'"x"\n', *notes],
        "number": [b"1\n", *notes],
    }.items():
        pack = rewritten(packs["issue"], tmp_path / name, checkpoints=b"".join(changed))
        found[name] = {*checked(pack, OURS).counts}
    assert found["wrong"] == {"manifest", "tree"}
    assert found["fewer"] == {"manifest"}
    assert found["older"] & {"contiguity", "checkpoint"}
    for name in ("theirs", "swapped", "none", "nonsense", "number"):
        assert found[name] & {"checkpoint", "signature"}


def test_keys_in_the_pack_that_are_not_those_it_is_signed_with_are_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    stranger = SigningKey.of("taizhang/log", bytes([1] * 32)).public
    for keys in (f"{stranger}\n", "", "no key\n", "\udcff"):
        changed = keys.encode(errors="surrogateescape")
        pack = rewritten(packs["issue"], tmp_path / "pack", keys=changed)
        assert checked(pack, OURS).counts.keys() == {"signature"}
        assert checked(pack).counts.keys() == {"signature"}


def test_figures_that_are_not_what_the_events_amount_to_are_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    told = json.loads(contents(packs["issue"])["figures.json"])
    told["issues"][CANTEEN]["figures"][1]["numerator"] = True  # equal to 1 in Python
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", figures=written(told)), OURS)
    assert verdict.counts == {"figures": 1}
    told = json.loads(contents(packs["school"])["figures.json"])
    told["schools"][SCHOOL]["board"]["numerator"] += 1
    verdict = checked(rewritten(packs["school"], tmp_path / "pack", figures=written(told)), OURS)
    assert verdict.counts == {"figures": 1}
    assert f"/schools/{SCHOOL}/board/numerator" in verdict.findings[0].detail


def test_a_schema_that_is_not_the_published_one_is_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    told = json.loads(contents(packs["issue"])["schemas.json"])
    opened = "rectification.issue.opened.v1"
    changes: tuple[dict[str, Any], ...] = (
        {"required": []},
        {"properties": {}},
        {"properties": 7},
        {"description": "…"},
    )
    told[opened]["properties"]["key_issue"]["default"] = 0  # equal to False in Python
    equal = rewritten(packs["issue"], tmp_path / "pack", schemas=written(told))
    assert checked(equal, OURS).counts == {"schema": 1}
    told[opened]["properties"]["key_issue"]["default"] = False
    others = [told | {opened: told[opened] | change} for change in changes]
    for changed in (*others, {}, [], told | {"x.y.z.v1": {}}, told | {opened: None}):
        pack = rewritten(packs["issue"], tmp_path / "pack", schemas=written(changed))
        assert checked(pack, OURS).counts == {"schema": 1}


def test_a_manifest_that_says_something_else_is_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    told = json.loads(contents(packs["issue"])["manifest.json"])
    lies = (
        {"format": "taizhang-pack/2"},
        {"origin": "other/log"},
        {"size": told["size"] - 1},
        {"root": "A" * 43 + "="},
        {"scope": {"school": SCHOOL, "issue": LAMP}},
        {"scope": {"school": SCHOOL, "issue": None}},
        {"scope": {"school": None, "issue": CANTEEN}},
        {"scope": {"school": "s-9", "issue": CANTEEN}},
        {"whole": [*told["whole"], *told["in_part"]], "in_part": []},
        {"whole": [*reversed(told["whole"])]},
        {"whole": []},
        {"in_part": [*told["in_part"], "evt.s-1.talks.talk.x"]},
        {"members": {}},
        {"members": told["members"] | {"nodes": {"bytes": 1, "sha256": "ab" * 32}}},
        {"members": told["members"] | {"more": {"bytes": 0, "sha256": ""}}},
        *({name: told[name] + 1} for name in ("checkpoints", "events", "withheld", "nodes")),
    )
    for lie in lies:
        verdict = checked(rewritten(packs["issue"], tmp_path / "pack", lie), OURS)
        assert verdict.counts, lie
    content = contents(packs["issue"])["manifest.json"]
    for changed in (content + b"\n", b" " + content, content.replace(b'":"', b'": "', 1)):
        pack = rewritten(packs["issue"], tmp_path / "pack", manifest=changed)
        assert checked(pack, OURS).counts == {"manifest": 1}


def test_a_member_that_a_zip_program_would_call_damaged_is_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", crc=1), OURS)
    assert verdict.counts == {"structure": len(MEMBERS)}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def replaced(value: Any, data: st.DataObject) -> Any:
    """A JSON value with another one somewhere in it."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 4)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        copy: Any = value.copy()
        copy[key] = replaced(value[key], data)
        return copy
    return data.draw(JSON)


@pytest.mark.parametrize("name", ["manifest", "events", "figures", "schemas", "checkpoints"])
@LIMITS
@given(data=st.data())
def test_whatever_stands_where_something_else_ought_to_is_found(
    packs: dict[str, Path], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    before = contents(packs["issue"])[next(m for m in MEMBERS if m.startswith(name))]
    lines = before.splitlines()
    n = data.draw(st.integers(0, len(lines) - 1))
    told = replaced(json.loads(lines[n]), data)
    lines[n] = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        errors="surrogatepass"
    )
    after = b"\n".join(lines) + (b"\n" if before.endswith(b"\n") else b"")
    changed: dict[str, Any] = {name: after}
    verdict = checked(rewritten(packs["issue"], tmp_path / "pack", **changed), OURS)
    assert verdict.good == (after == before)


def test_another_past_that_the_right_key_signed_is_found(
    packs: dict[str, Path], tmp_path: Path
) -> None:
    notes = contents(packs["log"])["checkpoints.jsonl"]
    fork = written(Checkpoint("taizhang/log", EVERY - 1, bytes(32)).signed(KEY)) + b"\n"
    said = {"checkpoints": notes.count(b"\n") + 1}
    pack = rewritten(packs["log"], tmp_path / "pack", said, checkpoints=fork + notes)
    verdict = checked(pack, OURS)
    assert verdict.counts == {"tree": 1}
    assert verdict.findings[0].position == EVERY - 1
