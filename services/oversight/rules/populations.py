"""Whom each rule binds: functions of a day's world and a period, by the names the catalogue uses. Pure.

Who joins, leaves or changes post is counted by the dated roster. A teaching week, a term, a school year
or a stage is owed by who held the role on one of its school days; what the whole campaign asks for, by
who holds it on the day asked for (the campaign's last, when that is past). Services that show the same
rules (talks, meetings, study) count in the same way.
"""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import chain

from services.campaign.events import Role
from services.feedback.events import Addressee, Discovery, InNameOf, SolicitationSubject
from services.meetings.events import BriefingPart, Grade, MeetingKind, SpeechAct
from services.oversight.rules.lines import Examination, Issue, Meeting
from services.oversight.rules.world import Period, Subject, World
from services.study.events import Aspect, CatalogueItemWithdrawn, SessionKind

type Population = Callable[[World, Period], Iterable[Subject]]
type Populace = Callable[[World, date], tuple[str, ...]]

AT_THE_BRIEFING: dict[str, tuple[Role, ...]] = {
    "team": (Role.team_member, Role.principal_leader),
    "administration": (Role.school_administrator, Role.administrative_head),
    "grade-heads": (Role.grade_head,),
    "subject-group-heads": (Role.subject_group_head,),
}
"""The four groups a briefing is for (R77)."""


def kebab(word: str) -> str:
    """A word as part of a subject."""
    return word.replace("_", "-")


def _people(*roles: Role) -> Population:
    """Who owes something of a stretch of school days; of anything longer, who has the role that day."""

    def population(w: World, period: Period) -> Iterable[Subject]:
        if period.key in {"campaign", "now"}:
            day = w.reference(period)
            return [(p,) for p in sorted({p for role in roles for p in w.holders(role, day)})]
        return [(p,) for p in w.owing(frozenset(roles), period)]

    return population


def _campaign(w: World, _: Period) -> Iterable[Subject]:
    return [(w.directory.current,)] if w.directory.current else []


# -- Pairs ---------------------------------------------------------------------------------------


def _leaders_and_members(w: World, period: Period) -> Iterable[Subject]:
    """A principal leader with each other member of the team."""
    day = w.reference(period)
    leaders = w.holders(Role.principal_leader, day)
    team = w.holders(Role.team_member, day)
    return sorted({tuple(sorted((a, b))) for a in leaders for b in team if a != b})


def _members_with_each_other(w: World, period: Period) -> Iterable[Subject]:
    """Every two members of the team, a principal leader who is one among them."""
    return w.pairs_of(w.holders(Role.team_member, w.reference(period)))


def _members_and_heads(w: World, period: Period) -> Iterable[Subject]:
    """A member of the team with the heads of the departments they oversee (分管)."""
    day = w.reference(period)
    roster = w.directory.roster
    pairs = (
        tuple(sorted((member, head)))
        for member in w.team(day)
        for department in sorted(roster.people[member].departments(day))  # type: ignore[index]
        for head in roster.holders(Role.department_head, day, department)
        if head != member
    )
    return sorted(set(pairs))


# -- Study ---------------------------------------------------------------------------------------


def _members_and_readings(w: World, period: Period) -> Iterable[Subject]:
    """Each party member with each item they must read; an item withdrawn meanwhile is not owed."""
    from_day = w.reference(period)
    items = [
        life.id
        for life in w.counting("study.catalogue")
        if life.what.required
        and life.what.since <= from_day
        and not any(h.event.on <= from_day for h in life.all(CatalogueItemWithdrawn))
    ]
    return [(p, item) for p in w.holders(Role.party_member, from_day) for item in items]


def _members_and_aspects(w: World, period: Period) -> Iterable[Subject]:
    people = w.holders(Role.party_member, w.reference(period))
    return [(p, aspect.value) for p in people for aspect in Aspect]


def _study_forms(_: World, __: Period) -> Iterable[Subject]:
    return [(kebab(k),) for k in (SessionKind.collective_study, SessionKind.expert_lecture)]


def _streams(of: str) -> Population:
    return lambda w, _: [(life.id,) for life in w.counting(of)]


# -- Feedback ------------------------------------------------------------------------------------


def _asked_subjects(w: World, _: Period) -> Iterable[Subject]:
    """The four winds of the campaign that counts, and whatever else the organisation asked about."""
    asked = {
        (s.campaign, kebab(s.subject))
        for _, s in w.solicitations.values()
        if s.in_name_of is InNameOf.organisation
    }
    if w.directory.current:
        asked.add((w.directory.current, kebab(SolicitationSubject.four_winds)))
    return sorted(asked)


def _organisational(w: World, _: Period) -> Iterable[Subject]:
    return [(i,) for i, (_, s) in w.solicitations.items() if s.in_name_of is InNameOf.organisation]


def _closed_solicitations(w: World, _: Period) -> Iterable[Subject]:
    """Those that were closed, or whose last day is past."""
    return [
        (life.id,)
        for life in w.counting("feedback.solicitation")
        if life.what.closes_on < w.day
        or any(h.event.TYPE == "feedback.solicitation.closed.v1" for h in life.standing)
    ]


def _opinions(w: World, _: Period) -> Iterable[Subject]:
    """Every opinion that stands: neither voided nor withdrawn."""
    return [
        (i,)
        for i, life in w.opinions.items()
        if not any(h.event.TYPE == "feedback.opinion.withdrawn.v1" for h in life.standing)
    ]


def _proposed_issues(w: World, _: Period) -> Iterable[Subject]:
    return [
        (i, kebab(issue.key)[:36])
        for i, collation in w.collations.items()
        for issue in collation.closed.event.issues
    ]


# -- Issues --------------------------------------------------------------------------------------


def _issues(chosen: Callable[[Issue], bool]) -> Population:
    return lambda w, _: [(i,) for i, issue in w.issues.items() if chosen(issue)]


def counts(issue: Issue) -> bool:
    """Whether an issue is to be dealt with by itself: one merged away is another's."""
    return issue.stage != "merged"


def _team_issues(w: World, _: Period) -> Iterable[Subject]:
    """The team's issues a plan has to cover, from whatever source: those that have not ended.

    What a plan covered before it ended stays covered; what ended before no plan takes up any more.
    """
    planned = {i for plan in w.plans.values() for i in plan.lines}
    for i, issue in w.issues.items():
        if (
            issue.what.addressee is Addressee.team
            and counts(issue)
            and (issue.live or i in planned)
        ):
            yield (i,)


def _members_with_issues(w: World, _: Period) -> Iterable[Subject]:
    """Members of the team who own an issue that is one member's to answer."""
    owners = {
        w.who(issue.owner)
        for issue in w.issues.values()
        if issue.owner and issue.what.addressee is Addressee.member and counts(issue)
    }
    return [(p,) for p in w.team(w.day) if p in owners]


# -- Examinations --------------------------------------------------------------------------------


def _team_and_cadres(w: World, period: Period) -> Iterable[Subject]:
    cadres = w.holders(Role.party_cadre, w.reference(period))
    return [("team",), *((p,) for p in cadres)]


def _submitted(w: World, _: Period) -> Iterable[Subject]:
    return [(i,) for i, paper in w.examinations.items() if paper.submitted]


def claimed_by(w: World, paper: Examination) -> list[str]:
    """The issues an examination has to answer: its author's, or the team's."""
    found = []
    for i, issue in w.issues.items():
        if not counts(issue) or not issue.owner:
            continue
        team = issue.what.addressee is Addressee.team
        mine = paper.person and w.who(issue.owner) == w.who(paper.person) and not team
        if team if paper.team else mine:
            found.append(i)
    return found


def _examined_issues(w: World, _: Period) -> Iterable[Subject]:
    return [
        (i, issue)
        for i, paper in w.examinations.items()
        if paper.submitted
        for issue in claimed_by(w, paper)
    ]


def _examination_measures(w: World, _: Period) -> Iterable[Subject]:
    return [
        (i, str(n))
        for i, paper in w.examinations.items()
        if paper.submitted
        for n in range(1, len(paper.paper.measures) + 1)
    ]


def _to_adopt(w: World, _: Period) -> Iterable[Subject]:
    """R65 by the school's reading: the team's examination, or those of the members as well."""
    members = w.setting("adopted_papers") == "members"
    team = set(w.holders(Role.team_member, w.day))
    return [
        (i,)
        for i, paper in w.examinations.items()
        if paper.submitted
        and (paper.team or (members and paper.person and w.who(paper.person) in team))
    ]


# -- Meetings ------------------------------------------------------------------------------------


def _meetings(kind: MeetingKind) -> Population:
    return lambda w, _: [(m.id,) for m in w.held(kind)]


def _life_meetings(w: World) -> list[Meeting]:
    return w.held(MeetingKind.democratic_life)


def _pairs(givers: Populace, receivers: Populace) -> Population:
    """Who has to criticise whom at each democratic life meeting, by the team of its day (R70-R73)."""
    return lambda w, _: [
        (m.id, giver, receiver)
        for m in _life_meetings(w)
        for giver in givers(w, m.on or w.day)
        for receiver in receivers(w, m.on or w.day)
        if giver != receiver
    ]


def _leaders(w: World, day: date) -> tuple[str, ...]:
    return w.holders(Role.principal_leader, day)


def _members(w: World, day: date) -> tuple[str, ...]:
    """The team without its principal leaders."""
    return w.members(day)


def _meetings_and(people: Populace) -> Population:
    return lambda w, _: [(m.id, p) for m in _life_meetings(w) for p in people(w, m.on or w.day)]


def _criticisms(w: World, _: Period) -> Iterable[Subject]:
    """Every criticism spoken at a democratic life meeting."""
    return [(m.id, str(s.number)) for m in _life_meetings(w) for s in m.said(SpeechAct.criticism)]


def briefings_of(w: World, met: Meeting) -> list[Meeting]:
    """The briefings on a meeting, held after it."""
    return [b for b in w.held(MeetingKind.briefing) if b.reports_on == met.id]


def _briefings_and(parts: Iterable[str]) -> Population:
    wanted = tuple(parts)
    return lambda w, _: [(m.id, part) for m in w.held(MeetingKind.briefing) for part in wanted]


def _branch_meetings(w: World) -> list[Meeting]:
    return [m for m in w.held(MeetingKind.organisational_life) if m.branch]


def _branch_meetings_and_members(w: World, _: Period) -> Iterable[Subject]:
    """Party members of the branch on the day of its meeting, leaders of the school included."""
    return [
        (m.id, p)
        for m in _branch_meetings(w)
        for p in w.branch_members(m.branch or "", m.on or w.day)
    ]


def _members_to_secretary(w: World, _: Period) -> Iterable[Subject]:
    return [
        (m.id, member, secretary)
        for m in _branch_meetings(w)
        for secretary in sorted(w.secretaries(m.branch or "", m.on or w.day))
        for member in w.branch_members(m.branch or "", m.on or w.day)
        if member != secretary
    ]


def _branch_members(w: World, period: Period) -> Iterable[Subject]:
    day = w.reference(period)
    return sorted({(p,) for b in w.branches for p in w.branch_members(b, day)})


def _recommendations(w: World, _: Period) -> Iterable[Subject]:
    return [(i, w.who(p)) for i, a in w.appraisals.items() for p in sorted(a.recommended)]


def _unqualified(w: World, _: Period) -> Iterable[Subject]:
    """Results at the lower end of a scale: 不合格, or 差 where that is the word."""
    return [
        (i, w.who(p))
        for i, a in w.appraisals.items()
        for p, (_, grade) in sorted(a.results.items())
        if grade in {Grade.unqualified, Grade.poor}
    ]


def _heads(w: World, period: Period) -> Iterable[Subject]:
    """Who leads a branch, and who leads the administration."""
    day = w.reference(period)
    heads = (w.holders(r, day) for r in (Role.branch_secretary, Role.administrative_head))
    return [(p,) for p in sorted(set(chain(*heads)))]


def _one_by_one_talks(w: World, _: Period) -> Iterable[Subject]:
    return [(t.id,) for several in w.pair_talks.values() for t in several]


def _dated_records(w: World, _: Period) -> Iterable[Subject]:
    """Whatever the campaign's own records are dated by themselves."""
    kinds = ("talks.talk", "meetings.meeting", "study.session", "study.reflection")
    made = ("talks.talk", "meetings.meeting")
    held = {**w.talks, **w.meetings}
    return [
        (life.id,) for of in kinds for life in w.counting(of) if of not in made or life.id in held
    ]


def _filed_plans(w: World, _: Period) -> Iterable[Subject]:
    return [
        (life.id,)
        for life in w.counting("campaign.campaign")
        if any(h.event.TYPE == "campaign.campaign.plan-filed.v1" for h in life.standing)
    ]


POPULATIONS: dict[str, Population] = {
    "campaign": _campaign,
    "dated_records": _dated_records,
    "filed_plans": _filed_plans,
    "party_cadres": _people(Role.party_cadre),
    "party_members": _people(Role.party_member),
    "team_members": _people(Role.team_member, Role.principal_leader),
    "leaders_and_members": _leaders_and_members,
    "members_with_each_other": _members_with_each_other,
    "members_and_heads": _members_and_heads,
    "members_and_readings": _members_and_readings,
    "members_and_aspects": _members_and_aspects,
    "study_forms": _study_forms,
    "reflections": _streams("study.reflection"),
    "asked_subjects": _asked_subjects,
    "organisational_solicitations": _organisational,
    "closed_solicitations": _closed_solicitations,
    "opinions": _opinions,
    "proposed_issues": _proposed_issues,
    "discovery_methods": lambda _, __: [(kebab(method),) for method in Discovery],
    "issues": _issues(lambda _: True),
    "personal_issues": _issues(lambda i: i.what.addressee is Addressee.member and counts(i)),
    "live_issues": _issues(lambda i: i.live),
    "struck_off_issues": _issues(lambda i: i.stage == "struck_off"),
    "strongly_reflected_issues": _issues(lambda i: i.what.strongly_reflected and counts(i)),
    "team_issues": _team_issues,
    "started_issues": _issues(lambda i: i.started is not None),
    "members_with_issues": _members_with_issues,
    "plans": lambda w, _: [(i,) for i in w.plans],
    "talks": lambda w, _: [(i,) for i in w.talks],
    "one_by_one_talks": _one_by_one_talks,
    "talk_requests": _streams("talks.request"),
    "branches": lambda w, _: [(branch,) for branch in w.branches],
    "branch_and_administrative_heads": _heads,
    "team_and_cadres": _team_and_cadres,
    "submitted_examinations": _submitted,
    "examined_issues": _examined_issues,
    "examination_measures": _examination_measures,
    "examinations_to_adopt": _to_adopt,
    "held_democratic_life_meetings": _meetings(MeetingKind.democratic_life),
    "meetings_and_leaders": _meetings_and(_leaders),
    "meetings_and_members": _meetings_and(_members),
    "leader_to_member": _pairs(_leaders, _members),
    "member_to_leader": _pairs(_members, _leaders),
    "member_to_member": _pairs(_members, _members),
    "criticisms": _criticisms,
    "briefings_and_parts": _briefings_and(kebab(part) for part in BriefingPart),
    "briefings_and_invited": _briefings_and(AT_THE_BRIEFING),
    "branch_meetings": lambda w, _: [(m.id,) for m in _branch_meetings(w)],
    "branch_meetings_and_members": _branch_meetings_and_members,
    "members_to_secretary": _members_to_secretary,
    "branch_members": _branch_members,
    "appraised_members": _branch_members,
    "recommendations": _recommendations,
    "unqualified_results": _unqualified,
}
