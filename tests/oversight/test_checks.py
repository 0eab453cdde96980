"""Each check finds what it looks for, and nothing where all is as it should be."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.feedback.events import MessageSent
from services.oversight.rules.catalogue import BY_ID
from services.oversight.rules.checks import CHECKS, found
from services.oversight.rules.engine import findings, obligations, row
from services.rectification.events import (
    IssueReturned,
    NoticePublished,
    ProgressReported,
    ReturnReason,
    Satisfied,
    Source,
    SourceKind,
    SourceVoided,
)
from services.talks.events import TalkConfirmed, TalkDisputed
from tests.oversight.deeds import (
    TEXT,
    acknowledged,
    asked_off,
    claimed,
    closed,
    deadline,
    judged,
    opened,
    planned,
    reflected,
    shown,
    spoken,
    started,
    struck_off,
    talked,
    verified,
    watch,
)
from tests.oversight.histories import said
from tests.oversight.town import (
    APRIL,
    DEAN,
    JUNE,
    LEADER,
    MAY,
    SUPERVISOR,
    TEACHER,
    WU,
    ZHOU,
    Entry,
    world,
)


def hits(check: str, *entries: Entry) -> list[str]:
    """Whom or what a check finds, by the last part of the subject."""
    chosen = next(c for c in CHECKS if c.id == check)
    return [one.subject[-1] for one in found(world(*entries), chosen)]


def late_evidence(stream: str) -> list[Entry]:
    """The strike-off asked for before there was anything to show."""
    entries = closed(stream)
    entries[4], entries[5] = entries[5], entries[4]
    return entries


def mass(count: int, apart: int) -> list[Entry]:
    """Strike-offs by one person, so many minutes apart."""
    return [
        entry
        for n in range(count)
        for entry in closed(f"i{n}", sha=f"{n:064d}", minute=100 + n * apart)
    ]


ON_TIME = closed("i1", on=APRIL)
RETURNED = IssueReturned(
    verifier=SUPERVISOR, code=ReturnReason.not_solved, reason=TEXT, times=1, watch=watch(MAY)
)


def again(statement: str) -> list[Entry]:
    return [
        opened("i1"),
        claimed("i1"),
        planned("i1"),
        started("i1"),
        shown("i1"),
        asked_off("i1", statement="说明一"),
        said("i1", RETURNED, APRIL),
        asked_off("i1", statement=statement),
        verified("i1"),
        struck_off("i1"),
    ]


def on_the_eve(*before: Entry) -> list[Entry]:
    whole = closed("i1", on=MAY)
    return [*whole[:4], *before, *whole[4:]]


PROGRESS = said("i1", ProgressReported(text=TEXT), APRIL)
PLEASED = [spoken("o1"), *closed("i1", opinions=("o1",)), judged("i1")]
UNFOUNDED = SourceVoided(source=Source(kind=SourceKind.meeting, id="m1"), key="k1", event="event-1")
NOTICE = NoticePublished(text=TEXT, until=deadline(MAY))

CASES: dict[str, tuple[Sequence[Entry], Sequence[Entry]]] = {
    "R06.before-evidence": (late_evidence("i1"), ON_TIME),
    "R06.close-verifier": (closed("i1", verifier=WU, helpers=(WU,)), ON_TIME),
    "R06.same-text": (again("说明一"), again("说明二")),
    "R06.mass-closing": (mass(5, 14), mass(5, 15)),
    "R06.eve-of-deadline": (on_the_eve(), on_the_eve(PROGRESS)),
    "R06.without-contact": (PLEASED, [*PLEASED, acknowledged("o1")]),
    "R15.too-short": ([reflected("f1", length=1499)], [reflected("f1", length=1500)]),
    "R41.source-voided": (
        [opened("i1"), said("i1", UNFOUNDED), claimed("i1")],
        [*closed("i1"), said("i1", UNFOUNDED, JUNE)],
    ),
    "R43.not-struck-off": (
        [*closed("i1")[:-1], said("i1", NOTICE, APRIL)],
        [*closed("i1")[:-1], said("i1", NOTICE, APRIL), struck_off("i1", on=JUNE)],
    ),
    "R46.overlapping": (
        [talked("t1", ZHOU, WU, minutes=61), talked("t2", ZHOU, LEADER, hour=3)],
        [talked("t1", ZHOU, WU, minutes=60), talked("t2", ZHOU, LEADER, hour=3)],
    ),
    "R46.disputed": (
        [talked("t1", ZHOU, WU), said("t1", TalkDisputed(party=WU, reason=TEXT))],
        [
            talked("t1", ZHOU, WU),
            said("t1", TalkDisputed(party=WU, reason=TEXT)),
            said("t1", TalkConfirmed(party=WU)),
        ],
    ),
}


def test_every_check_has_its_cases() -> None:
    assert CASES.keys() == {check.id for check in CHECKS}


@pytest.mark.parametrize("check", CASES)
def test_a_check_finds_what_it_looks_for(check: str) -> None:
    assert hits(check, *CASES[check][0])


@pytest.mark.parametrize("check", CASES)
def test_a_check_finds_nothing_where_all_is_well(check: str) -> None:
    assert hits(check, *CASES[check][1]) == []


def test_a_verifier_is_close_who_answers_to_the_owner() -> None:
    assert hits("R06.close-verifier", *closed("i1", verifier=DEAN)) == ["i1"]
    assert hits("R06.close-verifier", *closed("i1", verifier=TEACHER)) == []


def test_a_file_that_is_evidence_for_two_issues_is_found_at_both() -> None:
    assert hits("R06.same-text", *closed("i1"), *closed("i2")) == ["i1", "i2"]
    assert hits("R06.same-text", *closed("i1"), *closed("i2", sha="f" * 64)) == []


def test_mass_closing_names_every_issue_of_it() -> None:
    assert hits("R06.mass-closing", *mass(7, 9)) == [f"i{n}" for n in range(7)]


def test_who_was_written_to_was_contacted_and_who_wrote_was_not() -> None:
    def message(*, own: bool) -> Entry:
        return said("o1", MessageSent(text=TEXT, from_originator=own))

    assert hits("R06.without-contact", *PLEASED, message(own=True)) == ["i1"]
    assert hits("R06.without-contact", *PLEASED, message(own=False)) == []


def test_dissatisfied_without_contact_is_no_false_closing() -> None:
    entries = [*PLEASED[:-1], judged("i1", satisfied=Satisfied.dissatisfied)]
    assert hits("R06.without-contact", *entries) == []


def test_three_talks_that_overlap_are_found_though_the_middle_one_is_short() -> None:
    entries = [
        talked("t1", ZHOU, WU, minutes=200),
        talked("t2", ZHOU, DEAN, hour=3, minutes=10),
        talked("t3", ZHOU, LEADER, hour=4, minutes=30),
    ]
    assert hits("R46.overlapping", *entries) == ["t2", "t3"]


def test_a_closed_issue_is_in_earnest_only_if_no_detector_finds_it() -> None:
    at = world(*late_evidence("i1"), *closed("i2", sha="f" * 64))
    assert [(o.subject, o.state) for o in obligations(BY_ID["R06"], at)] == [
        (("i1",), "missing"),
        (("i2",), "done"),
    ]
    line = row(BY_ID["R06"], at)
    assert [c["found"] for c in line["checks"] if c["check"] == "R06.before-evidence"] == [1]


def test_findings_carry_the_events_that_show_them() -> None:
    at = world(*CASES["R46.overlapping"][0])
    (one,) = findings(next(c for c in CHECKS if c.id == "R46.overlapping"), at)
    assert one.subject == (ZHOU, "t2")
    assert len(one.evidence) == 2


def test_a_line_is_stale_after_the_school_days_that_are_set() -> None:
    def state(on: date) -> str:
        return obligations(BY_ID["R42"], world(opened("i1", on=on), day=JUNE))[0].state

    ten_school_days_before = JUNE - timedelta(days=14)
    assert state(ten_school_days_before) == "done"
    assert state(ten_school_days_before - timedelta(days=1)) == "missing"
