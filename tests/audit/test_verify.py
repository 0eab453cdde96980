"""Whatever is done to a log, or to what was signed of it, is found and named."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.audit.shelf import Shelf
from services.audit.verify import TOLD, Verification
from services.cli.prove import findings
from services.rectification.events import IssueVoided, ProgressReported
from shared.broker import Stored
from shared.envelope import event_hash
from shared.merkle import HASH, Tree
from shared.note import Checkpoint, SigningKey
from tests.audit.history import KEY, LENGTH, checked, found, log, renumbered, signed, stretch

LOG = log()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What was signed of the log; nobody may change it."""
    return signed(tmp_path_factory.mktemp("signed"), LOG)


@pytest.fixture
def own_shelf(tmp_path: Path) -> Shelf:
    return signed(tmp_path, LOG)


def test_a_log_nobody_touched_is_good(shelf: Shelf) -> None:
    report = checked(LOG, shelf, last=LENGTH)
    assert report.good
    assert (report.events, report.streams, report.checkpoints) == (LENGTH, 3, 3)
    assert report.sealed == LENGTH
    assert Checkpoint("taizhang/log", LENGTH, bytes.fromhex(report.root)).signed(KEY) == (
        (shelf.checkpoints / f"{LENGTH:019}.checkpoint").read_text()
    )
    assert report.as_data()["good"] is True


def test_a_report_is_a_table_with_a_row_for_every_finding(shelf: Shelf) -> None:
    good = findings(checked(LOG, shelf, last=LENGTH).as_data())
    report = checked([*LOG[:4], *LOG[5:]], shelf, last=LENGTH)
    bad = findings(report.as_data())
    assert (good.row_count, good.caption) == (0, "无异常")
    assert f"已签名至位置 {LENGTH} 根 " in str(good.title)
    assert bad.row_count == len(report.findings)
    assert "contiguity: 1" in str(bad.caption)


def test_what_was_recorded_since_the_last_checkpoint_is_good_too(shelf: Shelf) -> None:
    report = checked(log(LENGTH + 3), shelf, last=LENGTH + 3)
    assert (report.good, report.sealed) == (True, LENGTH)


def test_what_is_signed_while_the_log_is_checked_does_no_harm(tmp_path: Path) -> None:
    check = Verification(signed(tmp_path, LOG[:4]), [KEY.public])
    check.join(stretch(LOG[:6]))
    signed(tmp_path, LOG)
    check.join(stretch(LOG[6:], after=6))
    assert check.end(LENGTH).good


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_it_is_the_same_in_whatever_stretches_a_log_is_looked_at(
    shelf: Shelf, given: st.DataObject
) -> None:
    order = given.draw(st.permutations(range(LENGTH)), label="order")
    bad = renumbered(LOG[n] for n in given.draw(st.sampled_from([range(LENGTH), order])))
    missing = given.draw(st.sets(st.integers(1, LENGTH)), label="missing")
    there = [stored for stored in bad if stored.position not in missing]
    cuts = given.draw(st.sets(st.integers(1, LENGTH - 1)), label="cuts")
    check = Verification(shelf, [KEY.public])
    for after, until in pairwise([0, *sorted(cuts), LENGTH]):
        part = stretch((s for s in there if after < s.position <= until), after)
        part.reach(until)
        check.join(part)

    assert check.end(LENGTH).as_data() == checked(there, shelf, last=LENGTH).as_data()


def test_a_flipped_byte_is_named(shelf: Shelf) -> None:
    body = LOG[4].body.replace(b"5", b"6")
    events = [*LOG[:4], replace(LOG[4], body=body), *LOG[5:]]
    report = checked(events, shelf, last=LENGTH)
    assert {("hash", 5), ("tree", 5), ("tree", 8)} <= found(report)
    assert {f.stream for f in report.findings if f.position == 5} == {LOG[4].subject}


def test_a_missing_message_is_named(shelf: Shelf) -> None:
    report = checked([*LOG[:4], *LOG[5:]], shelf, last=LENGTH)
    assert {("contiguity", 5), ("chain", 8), ("version", 8)} <= found(report)
    assert ("tree", 5) in found(report)  # not comparable from here on
    assert report.sealed == 4
    replaced_too = log(after=LOG[:8], said="坏")
    report = checked([*replaced_too[:4], *replaced_too[5:]], shelf, last=LENGTH)
    assert {("tree", n) for n in range(9, LENGTH + 1)} <= found(report)


def test_a_missing_tail_is_named(shelf: Shelf) -> None:
    older = checked(LOG[:9], shelf, last=9)
    assert found(older) == {("length", LENGTH)}
    assert older.sealed == 8
    swallowed = checked(LOG[:10], shelf, last=LENGTH)
    assert ("contiguity", 11) in found(swallowed)


def test_an_emptied_log_is_named(shelf: Shelf) -> None:
    assert found(checked([], shelf, last=0)) == {("length", 4), ("length", 8), ("length", LENGTH)}


def test_a_replaced_message_is_named_although_every_chain_was_made_anew(shelf: Shelf) -> None:
    events = log(after=LOG[:6], said="坏")
    report = checked(events, shelf, last=LENGTH)
    assert {("tree", 7), ("tree", 8), ("tree", LENGTH)} <= found(report)
    assert report.counts.keys() == {"tree"}  # the chains fit: only what was signed tells
    assert report.sealed == 4


def test_reused_positions_are_named_without_the_nodes_too(own_shelf: Shelf) -> None:
    own_shelf.nodes_file.unlink()
    report = checked(log(LENGTH + 2, after=LOG[:9], said="又"), own_shelf, last=LENGTH + 2)
    assert found(report) == {("tree", LENGTH)}
    assert "from 9 on" in report.findings[0].detail


def test_two_swapped_events_are_named(shelf: Shelf) -> None:
    one_stream = renumbered([*LOG[:1], LOG[4], *LOG[2:4], LOG[1], *LOG[5:]])
    assert {("chain", 2), ("version", 2), ("tree", 2), ("tree", 5)} <= found(
        checked(one_stream, shelf, last=LENGTH)
    )
    two_streams = renumbered([*LOG[:4], LOG[5], LOG[4], *LOG[6:]])
    report = checked(two_streams, shelf, last=LENGTH)
    assert {("tree", 5), ("tree", 6)} <= found(report)
    assert report.counts.keys() == {"tree"}


def test_a_stream_made_anew_is_named(shelf: Shelf) -> None:
    own = [stored for stored in LOG if stored.subject == LOG[0].subject]
    others = [stored for stored in LOG if stored not in own]
    again = renumbered([*others, *own])
    assert ("tree", 1) in found(checked(again, shelf, last=LENGTH))


def test_a_forged_event_is_named(shelf: Shelf) -> None:
    borrowed = Stored(LENGTH + 1, LOG[-1].subject, LOG[-1].headers, b'{"text":"x"}')
    assert {("hash", 13), ("chain", 13), ("version", 13)} == found(
        checked([*LOG, borrowed], shelf, last=13)
    )
    wrong = forged(LOG[-1], b'{"words":"x"}')
    assert found(checked([*LOG, wrong], shelf, last=13)) == {("schema", 13)}
    foreign = forged(LOG[-1], b"{}", type_="talks.talk.held.v1")
    assert found(checked([*LOG, foreign], shelf, last=13)) == {("schema", 13)}


def test_what_stands_behind_the_end_of_its_stream_is_named(tmp_path: Path) -> None:
    end = IssueVoided(reason="重复").model_dump_json().encode()
    voided = forged(LOG[-1], end, IssueVoided.TYPE)
    behind = forged(voided, LOG[-1].body, ProgressReported.TYPE)
    elsewhere = forged(LOG[-2], LOG[-2].body)
    again = forged(behind, LOG[-1].body, ProgressReported.TYPE)
    ended = renumbered([*LOG, voided, behind, elsewhere, again])
    report = checked(ended, signed(tmp_path, ended), last=LENGTH + 4)
    assert found(report) == {("end", LENGTH + 2)}  # what follows on that one is not told again
    assert {f.stream for f in report.findings} == {voided.subject}
    assert checked([*LOG, voided], signed(tmp_path / "good", [*LOG, voided]), last=13).good


def forged(last: Stored, body: bytes, type_: str = "") -> Stored:
    """An event whose headers all fit: the next of its stream, its own hash right."""
    headers = {
        **last.headers,
        "ce-prevhash": last.headers["ce-eventhash"],
        "ce-streamversion": str(int(last.headers["ce-streamversion"]) + 1),
    }
    if type_:
        headers["ce-type"] = type_
    headers["ce-eventhash"] = event_hash(last.subject, headers, body)
    return Stored(last.position + 1, last.subject, headers, body)


def test_what_is_no_event_is_named_and_is_a_leaf_all_the_same(tmp_path: Path) -> None:
    stray = Stored(LENGTH + 1, "evt.s1.talks.talk.x", {}, b"")
    report = checked([*LOG, stray], signed(tmp_path, [*LOG, stray]), last=LENGTH + 1)
    assert found(report) == {("form", LENGTH + 1)}
    assert report.sealed == LENGTH + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_single_change_of_any_stored_byte_is_found(shelf: Shelf, given: st.DataObject) -> None:
    n = given.draw(st.integers(0, LENGTH - 1))
    stored = LOG[n]
    what = given.draw(st.sampled_from(["subject", "body", *stored.headers]))
    if what == "body":
        place = given.draw(st.integers(0, len(stored.body) - 1))
        changed = bytearray(stored.body)
        changed[place] ^= given.draw(st.integers(1, 255))
        now = replace(stored, body=bytes(changed))
    elif what == "subject":
        now = replace(stored, subject=stored.subject + given.draw(st.sampled_from("0a-")))
    else:
        old = stored.headers[what]
        other = given.draw(st.text("0aZ-", max_size=8).filter(lambda text: text != old))
        now = replace(stored, headers={**stored.headers, what: other})
    report = checked([*LOG[:n], now, *LOG[n + 1 :]], shelf, last=LENGTH)
    assert ("tree", n + 1) in found(report)
    assert report.sealed == n // 4 * 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(LENGTH)))
def test_any_other_order_is_found(shelf: Shelf, order: list[int]) -> None:
    report = checked(renumbered(LOG[n] for n in order), shelf, last=LENGTH)
    assert report.good == (order == sorted(order))


# -- What was signed -----------------------------------------------------------------------------------


def newest(shelf: Shelf) -> Path:
    return shelf.checkpoints / f"{LENGTH:019}.checkpoint"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_of_a_checkpoint_is_found(own_shelf: Shelf, given: st.DataObject) -> None:
    path = newest(own_shelf)
    before = path.read_bytes()
    place = given.draw(st.integers(0, len(before) - 1))
    changed = bytearray(before)
    changed[place] ^= given.draw(st.integers(1, 255))
    path.write_bytes(changed)
    report = checked(LOG, own_shelf, last=LENGTH)
    path.write_bytes(before)
    assert report.counts.keys() <= {"checkpoint", "signature"}
    assert not report.good
    assert report.sealed == 8


def test_a_checkpoint_of_a_stranger_or_under_a_wrong_name_is_none(own_shelf: Shelf) -> None:
    stranger = SigningKey.of("taizhang/log", bytes([1] * 32))
    other_log = SigningKey.of("other/log", bytes([2] * 32))
    newest(own_shelf).unlink()
    own_shelf.keep(LENGTH, Checkpoint("taizhang/log", LENGTH, Tree().root()).signed(stranger))
    report = checked(LOG, own_shelf, last=LENGTH)
    assert found(report) == {("signature", LENGTH)}
    newest(own_shelf).unlink()
    own_shelf.keep(LENGTH, Checkpoint("taizhang/log", LENGTH, Tree().root()).signed(other_log))
    assert found(checked(LOG, own_shelf, last=LENGTH)) == {("signature", LENGTH)}
    newest(own_shelf).write_bytes((own_shelf.checkpoints / f"{8:019}.checkpoint").read_bytes())
    assert found(checked(LOG, own_shelf, last=LENGTH)) == {("checkpoint", LENGTH)}
    newest(own_shelf).unlink()
    (own_shelf.checkpoints / "README").touch()
    assert found(checked(LOG, own_shelf, last=LENGTH)) == {("checkpoint", 0)}


def test_a_forked_log_signed_by_the_right_key_is_found(tmp_path: Path) -> None:
    shelf = signed(tmp_path, LOG[:8])
    fork = log(said="叉")
    tree = Tree()
    shelf.keep(LENGTH, Checkpoint("taizhang/log", LENGTH, tree.root()).signed(KEY))
    assert ("tree", LENGTH) in found(checked(LOG, shelf, last=LENGTH))
    assert ("tree", 4) in found(checked(fork, shelf, last=LENGTH))


def test_a_directory_without_checkpoints_proves_nothing(tmp_path: Path) -> None:
    report = checked(LOG, Shelf(tmp_path / "nothing"), last=LENGTH)
    assert found(report) == {("checkpoint", 0)}


def test_kept_nodes_that_were_changed_are_found(own_shelf: Shelf) -> None:
    nodes = bytearray(own_shelf.nodes_file.read_bytes())
    nodes[32 * 2] ^= 1  # the inner node above positions 1 and 2
    own_shelf.nodes_file.write_bytes(nodes)
    assert found(checked(LOG, own_shelf, last=LENGTH)) == {("tree", 2)}


@pytest.mark.parametrize("missing", [(), LOG[2:3]], ids=["whole", "with a gap"])
@pytest.mark.parametrize("cut", [1, HASH, HASH * 3 - 1, HASH * 4 - 1])
def test_nodes_that_are_not_all_written_yet_are_no_finding(
    own_shelf: Shelf, cut: int, missing: Sequence[Stored]
) -> None:
    """A disk that was full in the middle of a node, or a copy taken while it was written."""
    nodes = own_shelf.nodes_file
    nodes.write_bytes(nodes.read_bytes()[:-cut])
    report = checked([one for one in LOG if one not in missing], own_shelf, last=LENGTH)
    assert {finding.position for finding in report.findings if finding.check == "tree"} <= {3}
    assert report.good is not bool(missing)


def test_findings_without_end_are_counted_and_not_all_told(shelf: Shelf) -> None:
    many = [Stored(n, "evt.s1.talks.talk.x", {}, b"") for n in range(1, TOLD + 100)]
    report = checked(many, shelf, last=len(many))
    assert len(report.findings) == TOLD
    assert report.counts["form"] == len(many)
