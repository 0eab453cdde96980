"""What is seen of an appraisal: who did what for whom, tallies, results, and what is missing (R82-R86)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.meetings.events import (
    AppraisalCorrected,
    AppraisalEntry,
    AppraisalEntryVoided,
    AppraisalVoided,
    Disposition,
    Grade,
    MemberAppraised,
    MemberCommentedOn,
    ResultRecorded,
    SelfAppraised,
)
from services.meetings.projection.appraisal import (
    KINDS_WITH_WORDS,
    AppraisalCard,
    MemberDisposition,
    MemberGrade,
    MemberTally,
    Pair,
    appraisal_card,
    appraised_member,
    appraised_members,
    missing,
    opened_ballots,
    share_of_best,
)
from shared.decider import Event, PersonId
from tests import memory
from tests.meetings.examination_cast import (
    CADRE,
    DOUBLE,
    LEADER,
    MEMBERS,
    NOON,
    SCHOOL,
    SECRETARY,
    TEACHER,
    TODAY,
)
from tests.meetings.test_appraisal_deciding import (
    SLIPS,
    VOID_RESULT,
    ballot_opened,
    ballot_voided,
    best,
    counted,
    disposed,
    done,
    educated,
    recommended,
    worst,
)
from tests.meetings.test_appraisal_entering import (
    SIX,
    VOID_MUTUAL,
    VOID_SELF,
    comment,
    of_another,
    of_oneself,
    opened,
    small,
)

ROSTER = SCHOOL.roster


def folded(project: Any, *events: Event) -> Any:
    document = None
    for record in memory.log(*(("a-1", event) for event in events), by=LEADER, noon=NOON):
        document = project(document, record)
    return document


def card(*events: Event) -> AppraisalCard:
    found: AppraisalCard = folded(appraisal_card, *events)
    return found


def test_a_card_follows_the_appraisal() -> None:
    assert card(opened).stage == "opened"
    out = card(opened, ballot_opened)
    assert (out.stage, out.secret, out.ballot) == ("balloting", True, 1)
    assert out.code_hashes == ballot_opened.code_hashes
    assert card(*done).stage == "counted"
    assert card(*done, AppraisalVoided(reason="重做")).stage == "voided"


def test_no_grade_is_counted_for_or_missing_of_who_is_on_probation() -> None:
    trial = opened.model_copy(update={"probationary": (TEACHER,)})
    for seen in (
        card(trial, ballot_opened, counted),
        card(opened, corrected_to(TEACHER), ballot_opened, counted),
    ):
        graded = set(MEMBERS) - {TEACHER}
        assert {tally.member for tally in seen.tallies} == graded
        lacking = missing(seen, ROSTER)
        assert set(lacking.results) == graded
        assert set(lacking.self_appraisals) == set(lacking.appraisals_received) == set(MEMBERS)


def corrected_to(*probationary: PersonId) -> AppraisalCorrected:
    principals = opened.principals
    told: dict[str, Any] = {"on": TODAY, "members": MEMBERS, "principals": principals}
    return AppraisalCorrected(**told, probationary=probationary, reason="补登")


def test_everything_entered_is_on_it_without_a_word() -> None:
    seen = card(
        *done, of_oneself, of_another, comment, best, worst, recommended, educated, disposed
    )
    assert seen.selves == (TEACHER,)
    assert seen.appraised == (Pair(giver=TEACHER, member=CADRE),)
    assert seen.commented == (Pair(giver=SECRETARY, member=TEACHER),)
    assert seen.results == (
        MemberGrade(member=CADRE, grade=Grade.excellent),
        MemberGrade(member=TEACHER, grade=Grade.unqualified),
    )
    assert (seen.recommended, seen.educated) == ((CADRE,), (TEACHER,))
    assert seen.disposed == (
        MemberDisposition(member=TEACHER, disposition=Disposition.time_limited_correction),
    )
    stored = seen.model_dump_json()
    for word in (*SIX.values(), of_another.text, comment.text, educated.text, disposed.text):
        assert word not in stored


def test_ballots_are_tallied_on_the_scale() -> None:
    seen = card(*done)
    assert seen.slips_cast == 2
    tallies = {tally.member: tally.counts for tally in seen.tallies}
    assert tallies[CADRE] == (1, 1, 0, 0)
    assert tallies[TEACHER] == (0, 0, 0, 1)
    assert tallies[LEADER] == (0, 0, 0, 0)
    assert MemberTally(member=CADRE, counts=(1, 1, 0, 0)) in seen.tallies


def test_a_void_ballot_leaves_nothing() -> None:
    for past in ((opened, ballot_opened), done):
        seen = card(*past, ballot_voided)
        assert (seen.stage, seen.code_hashes, seen.tallies) == ("opened", (), ())
    assert folded(opened_ballots, opened, ballot_opened, counted).slips == SLIPS
    assert folded(opened_ballots, *done, ballot_voided).slips == ()
    assert folded(opened_ballots, *done, AppraisalVoided(reason="重做")).slips == ()


def test_a_void_entry_is_gone() -> None:
    full = (*done, of_oneself, of_another, comment, best, worst, recommended, educated, disposed)
    for entry, member, giver, name in (
        (AppraisalEntry.self_appraisal, TEACHER, None, "selves"),
        (AppraisalEntry.appraisal, CADRE, TEACHER, "appraised"),
        (AppraisalEntry.comment, TEACHER, SECRETARY, "commented"),
        (AppraisalEntry.recommendation, CADRE, None, "recommended"),
        (AppraisalEntry.education, TEACHER, None, "educated"),
        (AppraisalEntry.disposition, TEACHER, None, "disposed"),
    ):
        void = AppraisalEntryVoided(entry=entry, member=member, giver=giver, reason="误")
        assert getattr(card(*full), name)
        assert not getattr(card(*full, void), name)
    left = card(*done, best, worst, AppraisalEntryVoided(**VOID_RESULT)).results
    assert left == (MemberGrade(member=CADRE, grade=Grade.excellent),)


def test_a_correction_changes_the_members() -> None:
    corrected = AppraisalCorrected(on=TODAY, members=MEMBERS[:3], principals=(), reason="漏人")
    assert card(opened, corrected).members == MEMBERS[:3]


# -- What is missing ------------------------------------------------------------------------------


def test_at_first_everything_is() -> None:
    lacks = missing(card(opened), ROSTER)
    for name in ("self_appraisals", "appraisals_given", "appraisals_received", "results"):
        assert getattr(lacks, name) == MEMBERS
    assert set(lacks.comments) == {*MEMBERS} - {SECRETARY}
    assert not lacks.complete


def test_what_was_done_is_missing_no_more() -> None:
    lacks = missing(card(*done, of_oneself, of_another, comment, best), ROSTER)
    assert TEACHER not in lacks.self_appraisals
    assert TEACHER not in lacks.appraisals_given
    assert CADRE in lacks.appraisals_given
    assert CADRE not in lacks.appraisals_received
    assert TEACHER in lacks.appraisals_received
    assert TEACHER not in lacks.comments
    assert CADRE not in lacks.results


def test_an_unqualified_member_lacks_education_and_disposition() -> None:
    assert missing(card(*done, best), ROSTER).educations == ()
    lacks = missing(card(*done, worst), ROSTER)
    assert (lacks.educations, lacks.dispositions) == ((TEACHER,), (TEACHER,))
    half = missing(card(*done, worst, educated), ROSTER)
    assert (half.educations, half.dispositions) == ((), (TEACHER,))
    both = missing(card(*done, worst, educated, disposed), ROSTER)
    assert (both.educations, both.dispositions) == ((), ())


def test_an_appraisal_can_be_complete() -> None:
    events: list[Event] = [small]
    for member, other in ((small.members[0], small.members[1]), small.members[::-1]):
        events += [
            SelfAppraised(member=member, **SIX),
            MemberAppraised(giver=member, member=other, text="好"),
            ResultRecorded(member=member, grade=Grade.qualified, recorded_by=LEADER),
        ]
    first, second = small.members
    assert missing(card(*events), ROSTER).comments == (second,)
    events.append(MemberCommentedOn(principal=first, member=second, text="好"))
    assert missing(card(*events), ROSTER).complete


def test_a_branch_of_one_has_nobody_to_appraise_each_other() -> None:
    alone = opened.model_copy(update={"members": (SECRETARY,)})
    lacks = missing(card(alone), ROSTER)
    assert (lacks.appraisals_given, lacks.appraisals_received, lacks.comments) == ((), (), ())
    assert lacks.self_appraisals == (SECRETARY,)


def test_duplicate_entries_are_one_person() -> None:
    double = opened.model_copy(
        update={"members": tuple(DOUBLE if m == CADRE else m for m in MEMBERS)}
    )
    lacks = missing(card(double, of_another), ROSTER)
    assert CADRE not in lacks.appraisals_received
    assert DOUBLE not in lacks.appraisals_received


PAIRS = st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS)), max_size=12)


@given(pairs=PAIRS)
def test_mutual_appraisals_are_counted_as_one_would_by_hand(
    pairs: list[tuple[PersonId, PersonId]],
) -> None:
    said = [(giver, member) for giver, member in dict.fromkeys(pairs) if giver != member]
    events = [MemberAppraised(giver=g, member=m, text="好") for g, m in said]
    lacks = missing(card(opened, *events), ROSTER)
    for person in MEMBERS:
        assert (person in lacks.appraisals_given) == all(g != person for g, _ in said)
        assert (person in lacks.appraisals_received) == all(m != person for _, m in said)


def test_the_share_of_the_best_is_of_the_results() -> None:
    assert share_of_best(card(*done)) is None
    assert share_of_best(card(*done, best)) == 1.0
    assert share_of_best(card(*done, best, worst)) == 0.5


# -- Words ----------------------------------------------------------------------------------------


def test_what_was_said_of_a_member_is_kept_with_that_member() -> None:
    for event in (of_oneself, of_another, comment, recommended, educated, disposed):
        record = memory.log(("a-1", event), by=LEADER, noon=NOON)[0]
        assert appraised_members.keys(record) == (f"a-1/{event.member}",)
    seen = folded(appraised_member, of_oneself, comment, educated, disposed)
    assert [(s.entry, s.giver) for s in seen.said] == [
        (AppraisalEntry.self_appraisal, None),
        (AppraisalEntry.comment, SECRETARY),
        (AppraisalEntry.education, None),
        (AppraisalEntry.disposition, None),
    ]
    assert seen.said[0].texts == SIX
    assert seen.said[3].texts == {"text": disposed.text}


def test_void_words_are_gone() -> None:
    left = folded(appraised_member, of_oneself, comment, AppraisalEntryVoided(**VOID_SELF))
    assert [s.entry for s in left.said] == [AppraisalEntry.comment]
    gone = folded(appraised_member, of_another, AppraisalEntryVoided(**VOID_MUTUAL))
    assert gone.said == ()
    assert set(KINDS_WITH_WORDS.values()) == set(AppraisalEntry) - {AppraisalEntry.result}
