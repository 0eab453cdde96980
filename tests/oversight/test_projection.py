"""What oversight keeps: traces without words, cards of what was said of findings."""

from services.feedback.events import OpinionVoided
from services.oversight.events import (
    AcknowledgementCorrected,
    AcknowledgementVoided,
    FindingAcknowledged,
    ObligationWaived,
    WaiverCorrected,
    WaiverLifted,
    WaiverVoided,
)
from services.oversight.projection import FindingCard, finding_card
from services.oversight.rules.evidence import Life, Trace, key, trace
from services.oversight.rules.lines import issue, talk
from services.oversight.rules.sources import FOLLOWS
from shared.decider import Event
from tests.oversight.deeds import TEXT, closed, opened, spoken, struck_off, talked
from tests.oversight.histories import said
from tests.oversight.town import LEADER, SUPERVISOR, WU, ZHOU, Entry, lives, records, world

SEEN = FindingAcknowledged(
    rule="R47", subject=(WU, ZHOU), period="campaign", acknowledged_by=LEADER, remark="下周谈"
)
WAIVED = ObligationWaived(
    rule="R47", subject=(WU, ZHOU), period="campaign", waived_by=SUPERVISOR, reason="病假"
)


def card(*events: Event) -> FindingCard:
    found: FindingCard | None = None
    for record in records(said("f1", event) for event in events):
        found = finding_card(found, record)
    assert found is not None
    return found


def test_a_card_says_who_saw_it_and_who_let_it_pass() -> None:
    seen = card(SEEN)
    assert (seen.rule, seen.subject, seen.stage) == ("R47", (WU, ZHOU), "acknowledged")
    assert seen.acknowledged
    assert (seen.acknowledged.by, seen.acknowledged.text) == (LEADER, "下周谈")
    waived = card(SEEN, WAIVED)
    assert waived.stage == "waived"
    assert waived.waived
    assert waived.waived.text == "病假"


def test_a_waiver_that_ended_leaves_it_seen() -> None:
    for ended in (WaiverLifted(reason="返岗"), WaiverVoided(reason="点错")):
        after = card(SEEN, WAIVED, ended)
        assert (after.stage, after.waived) == ("acknowledged", None)
        assert after.ended
        assert after.ended.text == ended.reason


def test_an_acknowledgement_that_was_a_mistake_stays_visible() -> None:
    after = card(SEEN, AcknowledgementVoided(reason="点错"))
    assert (after.stage, after.acknowledged) == ("voided", None)


def test_corrections_replace_the_words() -> None:
    after = card(
        SEEN,
        AcknowledgementCorrected(remark="本周谈", reason="…"),
        WAIVED,
        WaiverCorrected(waiver_reason="长期病假", reason="…"),
    )
    assert after.acknowledged
    assert after.acknowledged.text == "本周谈"
    assert after.waived
    assert after.waived.text == "长期病假"


def fold(*entries: Entry) -> dict[str, Trace]:
    found: dict[str, Trace] = {}
    for record in records(entries):
        (where,) = key(record)
        found[where] = trace(found.get(where), record)
    return found


def test_a_trace_has_every_event_of_its_stream_in_order_and_is_keyed_by_service() -> None:
    found = fold(*closed("i1"), spoken("o1"))
    assert found.keys() == {"rectification.issue.i1", "feedback.opinion.o1"}
    facts = found["rectification.issue.i1"].facts
    assert [fact.type.split(".")[2] for fact in facts] == [
        "opened",
        "claimed",
        "measures-planned",
        "started",
        "evidence-added",
        "strike-off-requested",
        "verified",
        "struck-off",
    ]
    assert [fact.position for fact in facts] == list(range(1, 9))


def test_a_trace_is_small() -> None:
    for document in fold(*closed("i1")).values():
        assert len(document.model_dump_json()) < 1000 * len(document.facts)


def test_what_is_in_the_ballot_box_is_not_followed() -> None:
    assert "meetings.appraisal.ballots-opened.v1" not in {event.TYPE for event in FOLLOWS}


def test_what_was_voided_counts_nowhere() -> None:
    at = world(spoken("o1"), said("o1", OpinionVoided(reason=TEXT)))
    assert at.opinions == {}
    assert at.lives["feedback.opinion"]["o1"].voided


def test_a_life_is_cut_at_an_instant_and_at_a_position() -> None:
    life = lives(records(closed("i1")))["rectification.issue"]["i1"]
    struck = life.last

    def line(known: Life | None) -> str:
        found = known and issue(known)
        return found.stage if found else "nothing"

    assert line(life.until(struck.at, 99)) == "verified"
    assert line(life.until(struck.at.replace(year=2024), 99)) == "struck_off"
    assert line(life.until(struck.at.replace(year=2024), 7)) == "verified"
    assert life.until(life.first.at, 99) is None


def test_a_reading_of_a_life_is_made_once() -> None:
    life = lives(records([talked("t1", ZHOU, WU)]))["talks.talk"]["t1"]
    assert life.noted(talk) is life.noted(talk)


def test_an_issue_struck_off_at_once_is_read_as_such() -> None:
    at = world(opened("i1"), struck_off("i1"))
    assert at.issues["i1"].stage == "struck_off"
    assert at.issues["i1"].verified is None
