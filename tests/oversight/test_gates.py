"""What the supervision group waved through by its own event is waived, neither done nor missing."""

from services.meetings.events import (
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationGateWaived,
    MeetingGate,
    MeetingGateRestored,
    MeetingGateWaived,
)
from services.oversight.rules.catalogue import BY_ID
from services.oversight.rules.engine import obligations, row
from services.talks.events import RequestedTalkHeld, RequestedTalkVoided, TalkRequested
from tests.oversight.deeds import TEXT, WHOLE, called, examined, held, opened
from tests.oversight.histories import said
from tests.oversight.town import APRIL, SUPERVISOR, TEACHER, ZHOU, Entry, world


def state(rule: str, *entries: Entry) -> tuple[str, int]:
    (one,) = obligations(BY_ID[rule], world(*entries))
    return one.state, len(one.evidence)


def gate(which: MeetingGate) -> Entry:
    return said("m1", MeetingGateWaived(gate=which, reason=TEXT), APRIL, SUPERVISOR)


def test_a_meeting_waved_through_a_gate_is_waived() -> None:
    assert state("R66", called("m1"), gate(MeetingGate.plan_approval), held("m1")) == ("waived", 1)
    assert state("R67", called("m1"), gate(MeetingGate.date_agreement), held("m1")) == ("waived", 1)
    assert state("R66", called("m1"), gate(MeetingGate.date_agreement), held("m1")) == (
        "missing",
        0,
    )


def test_a_gate_that_was_closed_again_is_closed() -> None:
    restored = said("m1", MeetingGateRestored(gate=MeetingGate.plan_approval, reason=TEXT), APRIL)
    entries = [called("m1"), gate(MeetingGate.plan_approval), restored, held("m1")]
    assert state("R66", *entries) == ("missing", 0)


def paper(which: ExaminationGate, *more: Entry) -> list[Entry]:
    drafted, submitted = examined("e1", paper=WHOLE.model_copy(update={"cause_analysis": None}))
    waved = said("e1", ExaminationGateWaived(gate=which, reason=TEXT), APRIL, SUPERVISOR)
    return [drafted, waved, *more, submitted]


def test_an_examination_waved_through_a_gate_is_waived() -> None:
    four = ExaminationGate.four_sections
    assert state("R60", *paper(four)) == ("waived", 1)
    restored = said("e1", ExaminationGateRestored(gate=four, reason=TEXT), APRIL)
    assert state("R60", *paper(four, restored)) == ("missing", 0)


def test_who_was_let_submit_before_claiming_is_waived_that_claim() -> None:
    issue = opened("i1", member=ZHOU)
    assert state("R33", issue) == ("missing", 0)
    assert state("R33", issue, *paper(ExaminationGate.issues_claimed)) == ("waived", 1)


def test_what_is_waived_is_in_neither_figure() -> None:
    line = row(BY_ID["R60"], world(*paper(ExaminationGate.four_sections)))
    assert (line["numerator"], line["denominator"], line["waived"]) == (0, 0, 1)


def test_a_request_whose_talk_was_voided_is_unanswered_again() -> None:
    asked = said("q1", TalkRequested(asker=TEACHER, asked=ZHOU, recorded_by=TEACHER))
    talk = said("q1", RequestedTalkHeld(talk="t1"))
    assert state("R49", asked, talk) == ("done", 1)
    assert state("R49", asked, talk, said("q1", RequestedTalkVoided(talk="t1"))) == ("missing", 0)


def test_what_was_done_in_another_campaign_is_not_done_in_this_one() -> None:
    elsewhere = [
        Entry(
            e.stream,
            e.event.model_copy(update={"campaign": "campaign-0"})
            if "campaign" in type(e.event).model_fields
            else e.event,
            e.on,
            e.by,
        )
        for e in [*examined("e1"), called("m1"), held("m1")]
    ]
    at = world(*elsewhere)
    assert {one.state for one in obligations(BY_ID["R59"], at)} == {"missing"}
    assert obligations(BY_ID["R66"], at) == ()
