"""A pack proves what it holds to who has nothing else, and of one issue it tells nothing about others."""

import base64
import errno
import hashlib
import json
import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit import pack as packing
from services.audit.pack import MEMBERS, NothingToPack, Scope
from services.audit.shelf import Shelf
from services.feedback.events import CollationClosed, OpinionPart, OpinionsGrouped, OpinionSplit
from services.rectification.events import IssueMerged, Origin, OriginKind
from services.rectification.policy import issue_of
from shared.broker import Stored
from shared.journal import LogDamaged
from shared.note import COSIGNATURE, BadSignature, NotANote, Note, SigningKey
from tests.audit.history import KEY, signed
from tests.audit.packs import (
    BOTH,
    CANTEEN,
    CHILD,
    COLD,
    COLLATION,
    DARK,
    DINING,
    DOOR,
    ELSEWHERE,
    EVERY,
    FAR,
    ISSUES,
    LAMP,
    LOG,
    PLAN,
    SCHOOL,
    SECOND,
    TALK,
    TAP,
    WET,
    Log,
    checked,
    packed,
    plan_line,
    proposed,
    shelf_of,
    some,
)
from tests.oversight import deeds
from tests.oversight.town import Entry

OURS = KEY.public
OPINIONS = (BOTH, COLD, DARK, WET, FAR)
WHOLE, THE_SCHOOL, ISSUE = Scope(), Scope(school=SCHOOL), Scope(school=SCHOOL, issue=CANTEEN)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What was signed of the log; nobody may change it."""
    return shelf_of(tmp_path_factory.mktemp("signed"))


def lines(pack: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(pack) as file:
        return [json.loads(line) for line in file.read("events.jsonl").splitlines()]


def figures(pack: Path) -> Any:
    with zipfile.ZipFile(pack) as file:
        return json.loads(file.read("figures.json"))


def about(verdict: Any) -> tuple[list[str], list[str]]:
    return ([s.about for s in verdict.proved], [s.about for s in verdict.not_proved])


PROVED = ["structure", "signature", "inclusion", "consistency", "chain", "schema", "figures"]
NEVER = ["later", "words", "truth"]


# -- What it proves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "events", "withheld", "open_"),
    [
        (WHOLE, len(LOG), 0, []),
        (THE_SCHOOL, len(LOG) - 3, 0, ["completeness"]),
        (ISSUE, 18, 6, ["withheld", "in-part", "completeness"]),
    ],
)
def test_a_pack_proves_all_it_holds_and_says_what_it_does_not_prove(
    shelf: Shelf, tmp_path: Path, scope: Scope, events: int, withheld: int, open_: list[str]
) -> None:
    packed(shelf, scope, tmp_path / "pack")
    verdict = checked(tmp_path / "pack", OURS)
    assert verdict.findings == []
    assert (verdict.events, verdict.withheld, verdict.sealed) == (events, withheld, len(LOG))
    assert about(verdict) == (PROVED, [*open_, *NEVER])
    assert verdict.as_data()["good"] is True
    assert verdict.as_data()["scope"] == scope.model_dump()


@pytest.mark.parametrize("scope", [WHOLE, THE_SCHOOL, ISSUE])
def test_the_same_log_checkpoint_and_scope_give_the_same_bytes(
    shelf: Shelf, tmp_path: Path, scope: Scope
) -> None:
    packed(shelf, scope, tmp_path / "one")
    read_later = [
        Stored(
            e.position,
            e.subject,
            {"Nats-Time-Stamp": "now", **dict(reversed([*e.headers.items()]))},
            e.body,
        )
        for e in LOG
    ]  # fmt: skip
    packed(shelf_of(tmp_path / "again"), scope, tmp_path / "two", read_later)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_was_recorded_behind_the_checkpoint_is_not_in_it(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path / "early", LOG[:20])
    early = packed(shelf, THE_SCHOOL, tmp_path / "early.pack", LOG[:20])
    assert packed(shelf, THE_SCHOOL, tmp_path / "late.pack", LOG) == early
    assert checked(tmp_path / "late.pack", OURS).good


def test_any_zip_program_opens_it(shelf: Shelf, tmp_path: Path) -> None:
    packed(shelf, THE_SCHOOL, tmp_path / "pack")
    with zipfile.ZipFile(tmp_path / "pack") as file:
        assert file.testzip() is None
        assert tuple(file.namelist()) == MEMBERS
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}


def test_the_figures_are_those_oversight_shows_with_their_formulas(
    shelf: Shelf, tmp_path: Path
) -> None:
    packed(shelf, THE_SCHOOL, tmp_path / "pack")
    found = figures(tmp_path / "pack")["schools"][SCHOOL]
    assert found["position"] == len(LOG)
    assert found["issues"]["total"] == len(ISSUES)
    assert (
        found["issues"]["by_stage"] | {"struck_off": 2, "merged": 1, "open": 3}
        == (found["issues"]["by_stage"])
    )
    assert found["three_rates"]["groups"] == [
        {"group": "all", "suppressed": True, "as_of": None, "rates": None}
    ]
    passed = next(rate for rate in found["others"] if rate["name"] == "first_time_pass_rate")
    assert (passed["numerator"], passed["denominator"], passed["value"]) == (2, 2, 1.0)
    assert passed["exclusions"] == {"never_checked": 4}
    assert passed["formula"]


def test_an_issue_has_its_own_state_dates_and_figures(shelf: Shelf, tmp_path: Path) -> None:
    packed(shelf, ISSUE, tmp_path / "pack")
    found = figures(tmp_path / "pack")["issues"]
    assert found.keys() == {CANTEEN, DINING}
    assert found[DINING]["state"] == "merged"
    assert found[CANTEEN]["state"] == "struck-off"
    assert found[CANTEEN]["opened_at"].startswith("2023-03-15")
    assert found[CANTEEN]["struck_off_at"].startswith("2023-04-12")
    days, solved = found[CANTEEN]["figures"]
    assert days["value"] == pytest.approx(28.0, abs=0.1)
    assert (solved["numerator"], solved["denominator"], solved["value"]) == (1, 1, 1.0)


def test_a_state_that_something_withheld_belongs_to_is_not_told(
    shelf: Shelf, tmp_path: Path
) -> None:
    packed(shelf, Scope(school=SCHOOL, issue=DINING), tmp_path / "pack")
    verdict = checked(tmp_path / "pack", OURS)
    assert figures(tmp_path / "pack") == {"issues": {}}
    assert verdict.good
    assert "figures" in about(verdict)[1]
    assert "figures" not in about(verdict)[0]


def test_a_third_party_needs_only_the_published_form(shelf: Shelf, tmp_path: Path) -> None:
    """A verifier of its own, of nothing but `docs/log.md`: RFC 6962 as its definition, Ed25519."""
    packed(shelf, ISSUE, tmp_path / "pack")
    with zipfile.ZipFile(tmp_path / "pack") as file:
        nodes = file.read("nodes")
        notes = [json.loads(line) for line in file.read("checkpoints.jsonl").splitlines()]
    shown = {line["position"] - 1: line for line in lines(tmp_path / "pack")}
    cuts = [int(note.split("\n")[1]) for note in notes]

    def node(low: int, high: int) -> bytes:
        """What the pack gives for a stretch nobody needs to see: as few perfect subtrees as it takes."""
        nonlocal nodes
        if high - low == 1 and low in shown:
            return leaf(shown[low])
        whole = (high - low) & (high - low - 1) == 0
        if whole and not any(n in shown for n in range(low, high)) and not (
            any(low < cut < high for cut in cuts)
        ):  # fmt: skip
            found, nodes = nodes[:32], nodes[32:]
            return found
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        left = node(low, middle)
        return hashlib.sha256(b"\1" + left + node(middle, high)).digest()

    def leaf(line: dict[str, Any]) -> bytes:
        if "leaf" in line:
            return base64.b64decode(line["leaf"])
        said = sorted(line["headers"].items())
        own = [(n, v) for n, v in said if n.startswith("ce-") and n != "ce-eventhash"]
        others = [part for pair in said if pair not in own for part in pair]
        parts = [line["subject"], *(part for pair in own for part in pair), line["body"]]
        digest = hashlib.sha256(framed(*parts)).hexdigest()
        assert digest == line["headers"]["ce-eventhash"]
        return hashlib.sha256(b"\0" + framed(str(line["position"]), digest, *others)).digest()

    def framed(*parts: str) -> bytes:
        return b"".join(b"%d:%b" % (len(part.encode()), part.encode()) for part in parts)

    text, _, signature = notes[-1].rpartition("\n\n")
    raw = base64.b64decode(signature.split()[2])
    Ed25519PublicKey.from_public_bytes(OURS.key).verify(raw[4:], f"{text}\n".encode())
    assert base64.b64decode(text.split("\n")[2]) == node(0, cuts[-1])
    assert nodes == b""


# -- What it tells of others -----------------------------------------------------------------------


def values(stored: Stored) -> set[str]:
    """All that would tell one event from another: its ids, its hashes, its sealed texts."""
    said = stored.headers
    names = ("ce-id", "ce-commandid", "ce-commandhash", "ce-eventhash", "Nats-Msg-Id")
    return {*(said[name] for name in names), *re.findall(r"~1~[^\"]+", stored.body.decode())}


NAMES = {CANTEEN: "canteen", LAMP: "lamp", DINING: "dining", TAP: "tap", DOOR: "door"}
"""What issues are called where they were raised."""


def told_of(issue: str) -> set[str]:
    """The streams of issues and opinions a pack of this issue may speak of."""
    family = {issue, DINING} if issue == CANTEEN else {issue}
    return {*family, *(opinion for one in family for opinion in ISSUES[one])}


@pytest.mark.parametrize("issue", ISSUES)
def test_a_pack_of_one_issue_has_nothing_of_any_other_issue_or_opinion(
    shelf: Shelf, tmp_path: Path, issue: str
) -> None:
    packed(shelf, Scope(school=SCHOOL, issue=issue), tmp_path / "pack")
    content = (tmp_path / "pack").read_bytes()
    others = {*ISSUES, *OPINIONS} - told_of(issue)
    foreign = [e for e in LOG if e.subject.rpartition(".")[2] in others]
    names = {f'"key":"{name}"' for one, name in NAMES.items() if one not in told_of(issue)}
    forbidden = {ELSEWHERE, *others, *names, *(v for e in foreign for v in values(e))}
    assert len(foreign) > len(LOG) / 4
    assert [value for value in forbidden if occurs(value, content)] == []
    shown = {line["position"] for line in lines(tmp_path / "pack") if "leaf" not in line}
    own = {v for e in LOG if e.position in shown for v in values(e)}
    assert all(occurs(value, content) for value in own)  # so it would have been found


@dataclass
class Story:
    """A campaign that was drawn: what each issue comes from, is called, and was merged into."""

    log: Log = field(default_factory=Log)
    heard: dict[str, set[str]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    into: dict[str, str] = field(default_factory=dict)

    def family(self, issue: str) -> set[str]:
        """An issue and those that were merged into it, at once or by way of others."""
        family = {issue}
        while more := {one for one, into in self.into.items() if into in family} - family:
            family |= more
        return family


def collated(given: st.DataObject, story: Story, collation: str, opinions: list[str]) -> None:
    """Any opinions are cut and grouped in any way, and every group becomes an issue."""
    some_of = st.sets(st.sampled_from(opinions), min_size=1)
    for opinion in given.draw(st.sets(st.sampled_from(opinions))):
        story.log.add(SCHOOL, Entry(collation, OpinionSplit(opinion=opinion, cuts=(1,))))
    groups = []
    for n, heard in enumerate(given.draw(st.lists(some_of, min_size=1, max_size=2))):
        key = f"key-{collation[:4]}-{n}"
        groups.append(proposed(key, *(OpinionPart(opinion=o) for o in sorted(heard))))
        story.log.add(SCHOOL, Entry(collation, OpinionsGrouped(issue=groups[-1])))
        issue = issue_of(collation, key)
        story.heard[issue], story.keys[issue] = heard, key
    closing = story.log.add(SCHOOL, Entry(collation, CollationClosed(issues=tuple(groups))))
    for group in groups:
        issue = issue_of(collation, group.key)
        sources = tuple(sorted(story.heard[issue]))
        story.log.add(SCHOOL, deeds.opened(issue, opinions=sources, source=collation), closing)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_however_issues_and_opinions_hang_together_a_pack_has_nothing_of_the_others(
    given: st.DataObject,
) -> None:
    """Any opinions in any groups of any collations, any mergers, causes and lines of a plan."""
    opinions, story = [some(f"o{n}") for n in range(4)], Story()
    for opinion in opinions:
        story.log.add(SCHOOL, deeds.spoken(opinion))
    for collation in (COLLATION, SECOND):
        collated(given, story, collation, opinions)
    issues = sorted(story.heard)
    for issue in issues:
        other, opinion = given.draw(st.sampled_from(issues)), given.draw(st.sampled_from(opinions))
        cause = given.draw(st.sampled_from([None, *story.log.events]))
        origin = Origin(kind=OriginKind.issue, id=other, key="1")
        merging = Entry(issue, IssueMerged(into=other, reason="…"))
        for deed in given.draw(st.sets(st.sampled_from(["line", "measure", "answer", "merger"]))):
            match deed:
                case "line":
                    story.log.add(SCHOOL, plan_line(issue), cause)
                case "measure":
                    story.log.add(SCHOOL, plan_line(issue, origin), cause)
                case "answer":
                    story.log.add(SCHOOL, deeds.acknowledged(opinion), cause)
                case _ if other != issue:
                    story.into[issue] = other
                    story.log.add(SCHOOL, merging)
    issue = given.draw(st.sampled_from(issues))
    with TemporaryDirectory() as place:
        shelf, out = shelf_of(Path(place) / "signed", story.log.events), Path(place) / "pack"
        packed(shelf, Scope(school=SCHOOL, issue=issue), out, story.log.events)
        content, verdict = out.read_bytes(), checked(out, OURS)

    family = story.family(issue)
    others = {*issues, *opinions} - family - {o for one in family for o in story.heard[one]}
    foreign = [e for e in story.log.events if e.subject.rpartition(".")[2] in others]
    names = {f'"key":"{key}"' for one, key in story.keys.items() if one not in family}
    forbidden = others | names | {v for e in foreign for v in values(e)}
    assert verdict.findings == []
    assert [value for value in forbidden if occurs(value, content)] == []
    assert occurs(issue, content)


def occurs(value: str, content: bytes) -> bool:
    """Whether a value stands anywhere, as it is or as JSON, a hash also as bytes or in base64."""
    forms = [value.encode(), json.dumps(value)[1:-1].encode()]
    if re.fullmatch(r"[0-9a-f]{64}", value):
        forms += [bytes.fromhex(value), base64.b64encode(bytes.fromhex(value))]
    return any(form in content for form in forms)


def test_what_concerns_an_issue_and_others_is_withheld_and_what_concerns_it_alone_is_shown(
    shelf: Shelf, tmp_path: Path
) -> None:
    packed(shelf, ISSUE, tmp_path / "pack")
    found = lines(tmp_path / "pack")
    shown: dict[str, list[str]] = {}
    for line in found:
        if "subject" in line:
            _, what = line["headers"]["ce-type"].split(".", 1)
            shown.setdefault(line["subject"].rpartition(".")[2], []).append(what)
    life = shown.pop(CANTEEN)
    assert (life[0], life[-1]) == ("issue.opened.v1", "issue.verdict-recorded.v1")
    assert shown == {
        BOTH: ["opinion.submitted.v1", "opinion.acknowledged.v1"],
        WET: ["opinion.submitted.v1"],
        COLLATION: ["collation.opinions-grouped.v1"],
        SECOND: ["collation.opinions-grouped.v1", "collation.closed.v1"],
        DINING: ["issue.opened.v1", "issue.merged.v1"],
        PLAN: ["plan.line-set.v1"],
    }
    at = {e.position: e for e in LOG}
    withheld = [at[line["position"]] for line in found if "leaf" in line]
    assert [e.headers["ce-type"].split(".", 1)[1] for e in withheld] == [
        "collation.opened.v1",
        "collation.opinion-split.v1",
        "collation.closed.v1",
        "opinion.acknowledged.v1",  # because of what happened to the lamp
        "plan.line-set.v1",  # one that carries out a measure of the lamp's
        "opinion.acknowledged.v1",  # in a story that began with the lamp
    ]
    assert all(line.keys() == {"position", "leaf"} for line in found if "leaf" in line)


def test_of_a_talk_an_issue_was_raised_in_only_its_own_problem_is_shown(
    shelf: Shelf, tmp_path: Path
) -> None:
    manifest = packed(shelf, Scope(school=SCHOOL, issue=TAP), tmp_path / "pack")
    of_talk = [e for e in lines(tmp_path / "pack") if e.get("subject", "").endswith(TALK)]
    assert [json.loads(e["body"])["key"] for e in of_talk] == ["tap"]
    assert (manifest.withheld, manifest.in_part) == (1, (f"evt.{SCHOOL}.talks.talk.{TALK}",))


def test_of_an_issue_that_only_its_parent_made_nothing_but_a_leaf_is_left(
    shelf: Shelf, tmp_path: Path
) -> None:
    packed(shelf, Scope(school=SCHOOL, issue=CHILD), tmp_path / "pack")
    verdict = checked(tmp_path / "pack", OURS)
    assert (verdict.good, verdict.events, verdict.withheld) == (True, 0, 1)


# -- Whom it is believed ---------------------------------------------------------------------------


def test_without_a_trusted_key_it_is_never_good_and_says_whose_it_would_be(
    shelf: Shelf, tmp_path: Path
) -> None:
    packed(shelf, ISSUE, tmp_path / "pack")
    verdict = checked(tmp_path / "pack")
    assert verdict.counts == {"signature": 1}
    assert str(OURS) in verdict.findings[0].detail
    proved, not_proved = about(verdict)
    assert proved == [p for p in PROVED if p != "signature"]
    assert not_proved[0] == "signature"


def test_a_pack_of_another_log_is_not_believed(tmp_path: Path) -> None:
    stranger = SigningKey.of("taizhang/log", bytes([1] * 32))
    packed(
        signed(tmp_path / "theirs", LOG, stranger, every=EVERY),
        ISSUE,
        tmp_path / "pack",
        keys=[stranger.public],
    )
    assert checked(tmp_path / "pack", stranger.public).good
    verdict = checked(tmp_path / "pack", OURS)
    assert verdict.counts.keys() == {"signature"}
    assert "signature" not in about(verdict)[0]


def test_what_witnesses_signed_goes_in(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path / "own")
    witness = SigningKey.of("witness.example/1", bytes([7] * 32), type_=COSIGNATURE)
    note = shelf.newest()
    assert note is not None
    text = Note.read(note).text
    shelf.keep(len(LOG), note.decode() + witness.sign(text, at=1), ".cosigned")
    packed(shelf, ISSUE, tmp_path / "pack", keys=[OURS, witness.public])
    assert checked(tmp_path / "pack", OURS).good
    with zipfile.ZipFile(tmp_path / "pack") as file:
        assert b"witness.example/1" in file.read("checkpoints.jsonl").splitlines()[-1]


def test_of_very_many_checkpoints_evenly_spread_ones_go_in_and_always_the_newest(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_CHECKPOINTS", 3)
    packed(shelf, ISSUE, tmp_path / "pack")
    with zipfile.ZipFile(tmp_path / "pack") as file:
        notes = [json.loads(line) for line in file.read("checkpoints.jsonl").splitlines()]
    every = [int(name.partition(".")[0]) for name in shelf.names()]
    assert [int(note.split("\n")[1]) for note in notes] == every[1::3]
    assert every[1::3][-1] == len(LOG)
    assert checked(tmp_path / "pack", OURS).good


# -- What cannot be packed -------------------------------------------------------------------------


def test_a_log_that_is_not_what_was_signed_is_not_packed(shelf: Shelf, tmp_path: Path) -> None:
    at = next(n for n, e in enumerate(LOG) if e.subject.endswith(CANTEEN))
    last = LOG[at]
    forged = Stored(last.position, last.subject, last.headers, last.body + b" ")
    with pytest.raises(LogDamaged, match=f"position {at + 1} is not what was signed"):
        packed(shelf, ISSUE, tmp_path / "pack", [*LOG[:at], forged, *LOG[at + 1 :]])
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("scope", [WHOLE, THE_SCHOOL, ISSUE])
def test_what_is_no_event_goes_in_and_is_found_and_the_rest_is_proved(
    tmp_path: Path, scope: Scope
) -> None:
    """Whoever has a service's password can leave such a thing; it keeps nobody from proving the rest."""
    issue, opened = f"evt.{SCHOOL}.rectification.issue", "rectification.issue.opened.v1"
    stray = [
        Stored(len(LOG) + 1, f"{issue}.{CANTEEN}", {}, b""),
        Stored(len(LOG) + 2, f"{issue}.x", {"ce-type": opened}, b"\xff"),
        Stored(len(LOG) + 3, f"{issue}.y", {"ce-type": opened, "ce-recordedtime": "x"}, b"{}"),
    ]
    packed(shelf_of(tmp_path / "signed", [*LOG, *stray]), scope, tmp_path / "pack", [*LOG, *stray])
    verdict = checked(tmp_path / "pack", OURS)
    of_it = stray[:1] if scope == ISSUE else stray
    assert {f.position for f in verdict.findings} == {e.position for e in of_it}
    assert verdict.counts.keys() <= {"form", "hash", "schema", "chain", "version"}
    assert about(verdict)[0] == ["structure", "signature", "inclusion", "consistency"]
    assert figures(tmp_path / "pack") == {}


def test_a_checkpoint_file_that_is_none_is_not_packed(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path / "signed")
    (shelf.checkpoints / shelf.names()[0]).write_bytes(b"\xff")
    with pytest.raises(NotANote):
        packed(shelf, ISSUE, tmp_path / "pack")


@pytest.mark.parametrize("scope", [Scope(school="s-9"), Scope(school=SCHOOL, issue="nothing")])
def test_what_is_not_there_cannot_be_packed(shelf: Shelf, tmp_path: Path, scope: Scope) -> None:
    with pytest.raises(NothingToPack, match="has nothing of it"):
        packed(shelf, scope, tmp_path / "pack")
    assert [*tmp_path.iterdir()] == []


def test_without_a_checkpoint_by_a_known_key_nothing_is_packed(
    shelf: Shelf, tmp_path: Path
) -> None:
    with pytest.raises(NothingToPack, match="no checkpoint"):
        packed(Shelf(tmp_path / "empty"), ISSUE, tmp_path / "pack")
    stranger = SigningKey.of("taizhang/log", bytes([1] * 32))
    with pytest.raises(BadSignature):
        packed(shelf, ISSUE, tmp_path / "pack", keys=[stranger.public])
    assert not (tmp_path / "pack").exists()


def test_a_file_that_is_there_stays_as_it_is(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "pack").write_text("evidence")
    with pytest.raises(FileExistsError):
        packed(shelf, ISSUE, tmp_path / "pack")
    assert [file.name for file in tmp_path.iterdir()] == ["pack"]
    assert (tmp_path / "pack").read_text() == "evidence"


def test_a_pack_that_would_be_too_large_is_not_left_half_written(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "LARGEST", 10_000)
    with pytest.raises(OSError, match="more than the 10000 bytes"):
        packed(shelf, THE_SCHOOL, tmp_path / "pack")
    assert [*tmp_path.iterdir()] == []


def test_a_disk_that_fails_at_the_end_leaves_no_pack(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        packed(shelf, THE_SCHOOL, tmp_path / "pack")
    assert [*tmp_path.iterdir()] == []
