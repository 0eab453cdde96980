"""Who was there and who criticised whom, against the roster of that day (R68-R73, R77, R79-R81)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaign.events import Role
from services.campaign.roster import Holding, Roster
from services.meetings.domain.criticism import (
    Criticism,
    Finding,
    Gathering,
    Gatherings,
    Spoken,
    of_a_branch,
    of_the_team,
    presence,
)
from services.meetings.events import Attendance, MeetingKind, SpeechAct
from shared.decider import PersonId
from tests.meetings.meeting_cast import (
    AGREED_ON,
    CLERK,
    COLLEAGUE,
    ENROLLED,
    GONE,
    GRADE_HEAD,
    GROUP_HEAD,
    LEADER,
    MEMBER,
    OTHER_MEMBER,
    SCHOOL,
    SECOND_CLERK,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    changed,
)

TEAM = (LEADER, MEMBER, OTHER_MEMBER)
ROSTER = SCHOOL.roster


def said(*speeches: tuple[Any, ...], kind: MeetingKind = MeetingKind.democratic_life) -> Gathering:
    """A meeting of speeches in the order they are given: act, speaker, receiver, talk."""
    spoken = {}
    for number, (act, speaker, *more) in enumerate(speeches, start=1):
        receiver, talk = (*more, None, None)[:2]
        spoken[number] = Spoken(
            number=number, act=act, speaker=speaker, receiver=receiver, talk=talk
        )
    return Gathering(kind=kind, on=AGREED_ON, speeches=spoken)


def team(*meetings: Gathering, roster: Roster = ROSTER) -> Criticism:
    return of_the_team(meetings, roster, AGREED_ON)


def finding(criticism: Criticism, rule: str) -> Finding:
    return next(f for f in criticism.findings if f.rule == rule)


SELF, CRITICISM = SpeechAct.self_criticism, SpeechAct.criticism
COMPLETE = said(
    (SpeechAct.team_self_examination, LEADER),
    (SELF, LEADER),
    *((SELF, member) for member in (MEMBER, OTHER_MEMBER)),
    *((CRITICISM, a, b, "talk-1") for a in TEAM for b in TEAM if a != b),
)


def test_a_complete_meeting_leaves_nothing_missing() -> None:
    found = team(COMPLETE)
    assert [f.rule for f in found.findings] == ["R68", "R69", "R70", "R71", "R72", "R73"]
    assert all(f.holds and not f.missing for f in found.findings)
    assert found.unlinked == ()
    assert found.given[LEADER] == {MEMBER: 1, OTHER_MEMBER: 1}


def without(number: int) -> Gathering:
    speeches = {n: s for n, s in COMPLETE.speeches.items() if n != number}
    return COMPLETE.model_copy(update={"speeches": speeches})


@pytest.mark.parametrize("number", COMPLETE.speeches)
def test_whatever_speech_is_missing_shows_as_its_own_rule(number: int) -> None:
    speech = COMPLETE.speeches[number]
    rule: str
    pair: tuple[PersonId | None, PersonId | None] = (speech.speaker, speech.receiver)
    match speech.act:
        case SpeechAct.team_self_examination:
            rule, pair = "R68", (None, None)
        case SpeechAct.self_criticism:
            rule = "R69" if speech.speaker == LEADER else "R71"
            pair = (speech.speaker, speech.speaker)
        case _:
            rule = "R72"
            rule = "R70" if speech.speaker == LEADER else rule
            rule = "R73" if speech.receiver == LEADER else rule
    found = team(without(number))
    assert {f.rule: f.missing for f in found.findings if f.missing} == {rule: (pair,)}
    assert [f.rule for f in found.findings if not f.holds] == ([] if rule == "R72" else [rule])


def test_the_leader_goes_first() -> None:
    late = said((SELF, MEMBER), (SELF, LEADER), (SELF, OTHER_MEMBER))
    assert finding(team(late), "R69").missing == ((LEADER, LEADER),)
    assert finding(team(late), "R71").holds
    guest_first = said((SELF, SUPERVISOR), (SELF, LEADER), (SELF, MEMBER))
    assert finding(team(guest_first), "R69").holds


def test_a_member_does_not_examine_the_team() -> None:
    found = team(said((SpeechAct.team_self_examination, MEMBER)))
    assert not finding(found, "R68").holds


def test_several_principal_leaders_each_owe_and_are_owed() -> None:
    post = Holding(role=Role.principal_leader, since=ENROLLED)
    roster = changed(OTHER_MEMBER, posts=(post,)).roster
    found = of_the_team([COMPLETE], roster, AGREED_ON)
    assert finding(found, "R70").asked == ((OTHER_MEMBER, MEMBER), (LEADER, MEMBER))
    assert finding(found, "R73").asked == ((MEMBER, OTHER_MEMBER), (MEMBER, LEADER))
    assert finding(found, "R69").missing == ((OTHER_MEMBER, OTHER_MEMBER),)


def test_the_roster_of_that_day_counts() -> None:
    before = of_the_team([COMPLETE], ROSTER, date(2023, 6, 1))
    assert (LEADER, GONE) in finding(before, "R70").missing
    assert all(GONE not in pair for f in team(COMPLETE).findings for pair in f.asked)


def test_a_criticism_without_a_talk_is_listed_not_refused() -> None:
    found = team(said((CRITICISM, LEADER, MEMBER), (CRITICISM, MEMBER, LEADER, "talk-1")))
    assert found.unlinked == ((LEADER, MEMBER),)


def test_what_is_missing_at_one_meeting_may_be_made_good_at_the_next() -> None:
    first, second = without(5), said((CRITICISM, LEADER, MEMBER))
    assert not finding(team(first), "R70").holds
    assert finding(team(first, second), "R70").holds
    assert team(COMPLETE, second).given[LEADER] == {MEMBER: 2, OTHER_MEMBER: 1}


def test_a_duplicate_entry_criticises_as_the_person_it_is() -> None:
    twin = PersonId("luo-chengye-2")
    roster = changed(twin, merged_into=LEADER, branches=()).roster
    found = of_the_team(
        [said((CRITICISM, twin, MEMBER), (CRITICISM, MEMBER, twin))], roster, AGREED_ON
    )
    assert (LEADER, MEMBER) not in finding(found, "R70").missing
    assert (MEMBER, LEADER) not in finding(found, "R73").missing
    assert found.given == {LEADER: {MEMBER: 1}, MEMBER: {LEADER: 1}}


# -- A branch (R80, R81) --------------------------------------------------------------------------


def branch(*speeches: tuple[Any, ...]) -> Criticism:
    meeting = said(*speeches, kind=MeetingKind.organisational_life)
    return of_a_branch([meeting], ROSTER, AGREED_ON, "liberal")


def test_the_secretary_goes_first_and_hears_from_every_member_leaders_too() -> None:
    members = (COLLEAGUE, LEADER, TEACHER)
    found = branch((SELF, SECRETARY), *((CRITICISM, m, SECRETARY, "talk-1") for m in members))
    assert all(f.holds for f in found.findings)
    assert {pair[0] for pair in finding(found, "R81").asked} == set(members)
    silent = branch((SELF, TEACHER), (SELF, SECRETARY), (CRITICISM, TEACHER, SECRETARY))
    assert not finding(silent, "R80").holds
    assert {pair[0] for pair in finding(silent, "R81").missing} == {COLLEAGUE, LEADER}


# -- All of it, against a naive count -------------------------------------------------------------

EVERYBODY = (*TEAM, SUPERVISOR)
SPEECHES = st.lists(
    st.tuples(
        st.sampled_from([SELF, CRITICISM, SpeechAct.comment, SpeechAct.team_self_examination]),
        st.sampled_from(EVERYBODY),
        st.sampled_from(EVERYBODY),
        st.sampled_from([None, "talk-1"]),
    ),
    max_size=25,
)


@given(speeches=SPEECHES, leaders=st.sets(st.sampled_from(TEAM), min_size=1))
def test_the_matrix_agrees_with_a_naive_count(
    speeches: list[tuple[SpeechAct, PersonId, PersonId, str | None]], leaders: set[PersonId]
) -> None:
    roster = Roster(
        people={
            p: ROSTER.people[p].model_copy(
                update={
                    "posts": tuple(
                        Holding(role=role, since=ENROLLED)
                        for role in (Role.team_member, Role.principal_leader)
                        if role is Role.team_member or p in leaders
                    )
                }
            )
            for p in TEAM
        }
    )
    found = team(said(*speeches), roster=roster)
    members = set(TEAM) - leaders
    criticised = {(a, b) for act, a, b, _ in speeches if act is CRITICISM}
    selves = [a for act, a, _, _ in speeches if act is SELF]
    assert set(finding(found, "R70").missing) == {
        (a, b) for a in leaders for b in members if (a, b) not in criticised
    }
    assert set(finding(found, "R73").missing) == {
        (a, b) for a in members for b in leaders if (a, b) not in criticised
    }
    assert {a for a, _ in finding(found, "R71").missing} == members - set(selves)
    first_member = next((n for n, a in enumerate(selves) if a in members), len(selves))
    assert {a for a, _ in finding(found, "R69").missing} == leaders - set(selves[:first_member])
    assert finding(found, "R68").holds == any(
        act is SpeechAct.team_self_examination and a in leaders for act, a, _, _ in speeches
    )
    assert len(found.unlinked) == sum(act is CRITICISM and not t for act, _, _, t in speeches)
    assert sum(n for row in found.given.values() for n in row.values()) == sum(
        act is CRITICISM and a != b for act, a, b, _ in speeches
    )


# -- Which meetings count -------------------------------------------------------------------------


def test_only_held_meetings_of_the_kind_campaign_and_branch_count_the_earliest_first() -> None:
    late = COMPLETE.model_copy(update={"campaign": "campaign-1", "on": date(2023, 8, 1)})
    early = late.model_copy(update={"on": date(2023, 7, 1)})
    other = late.model_copy(update={"campaign": "campaign-0"})
    of_branch = late.model_copy(
        update={"kind": MeetingKind.organisational_life, "branch": "liberal"}
    )
    to_come = late.model_copy(update={"on": None})
    known = Gatherings(
        meetings=dict(zip("abcde", (late, early, other, of_branch, to_come), strict=True))
    )
    assert known.held(MeetingKind.democratic_life, "campaign-1") == (early, late)
    assert known.held(MeetingKind.democratic_life) == (early, late, other)
    kind = MeetingKind.organisational_life
    assert known.held(kind, "campaign-1", "liberal") == (of_branch,)
    assert known.held(kind, "campaign-1", "science") == ()


# -- Attendance (R77, R79) ------------------------------------------------------------------------


def sat(kind: MeetingKind, there: tuple[PersonId, ...], **more: Any) -> Gathering:
    seats = dict.fromkeys(there, Attendance.present)
    absent = dict.fromkeys(more.pop("absent", ()), Attendance.absent)
    return Gathering(kind=kind, on=AGREED_ON, seats=seats | absent, **more)


def test_every_member_of_the_branch_owes_attendance_leaders_too() -> None:
    meeting = sat(
        MeetingKind.organisational_life,
        (SECRETARY, SUPERVISOR),
        branch="liberal",
        absent=(TEACHER, LEADER),
        made_up=(TEACHER,),
    )
    found = presence(meeting, ROSTER, AGREED_ON)
    assert set(found.expected) == {LEADER, SECRETARY, TEACHER, COLLEAGUE}
    assert found.unrecorded == (COLLEAGUE,)
    assert found.made_up == (TEACHER,)
    assert set(found.owing) == {LEADER, COLLEAGUE}
    assert found.guests == (SUPERVISOR,)
    assert found.groups == {}


def test_who_joined_the_branch_after_the_meeting_owes_nothing() -> None:
    moved = ROSTER.people[COLLEAGUE].branches[0].model_copy(update={"since": date(2023, 7, 8)})
    roster = changed(COLLEAGUE, branches=(moved,)).roster
    meeting = sat(MeetingKind.organisational_life, (SECRETARY,), branch="liberal")
    assert COLLEAGUE not in presence(meeting, roster, AGREED_ON).owing


def test_a_briefing_is_for_four_groups() -> None:
    meeting = sat(MeetingKind.briefing, (LEADER, MEMBER, CLERK, GRADE_HEAD))
    found = presence(meeting, ROSTER, AGREED_ON)
    assert {group: who["present"] for group, who in found.groups.items()} == {
        "team_member": (LEADER, MEMBER),
        "school_administrator": (CLERK,),
        "grade_head": (GRADE_HEAD,),
        "subject_group_head": (),
    }
    assert found.groups["subject_group_head"]["absent"] == (GROUP_HEAD,)
    assert set(found.owing) == {OTHER_MEMBER, SECOND_CLERK, GROUP_HEAD}


@pytest.mark.parametrize("kind", [MeetingKind.democratic_life, MeetingKind.leadership])
def test_the_team_owes_attendance_and_whoever_was_invited(kind: MeetingKind) -> None:
    meeting = sat(kind, (LEADER,), invited=(TEACHER,))
    found = presence(meeting, ROSTER, AGREED_ON)
    assert set(found.owing) == {MEMBER, OTHER_MEMBER, TEACHER}


def test_a_study_discussion_is_for_whom_it_invites() -> None:
    meeting = sat(MeetingKind.study_discussion, (TEACHER,), invited=(TEACHER, COLLEAGUE))
    assert presence(meeting, ROSTER, AGREED_ON).owing == (COLLEAGUE,)


def test_somebody_seated_under_a_duplicate_entry_was_there() -> None:
    twin = PersonId("tan-huifen-2")
    roster = changed(twin, merged_into=MEMBER, branches=()).roster
    meeting = sat(MeetingKind.leadership, (LEADER, OTHER_MEMBER, twin))
    found = presence(meeting, roster, AGREED_ON)
    assert found.owing == ()
    assert MEMBER in found.present
