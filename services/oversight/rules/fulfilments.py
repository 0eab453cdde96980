"""By what each rule is met: functions that give the events that prove it, none where it is missing. Pure."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from services.campaign.calendar import Period as Length
from services.campaign.calendar import duration
from services.campaign.events import InspectionKind, PlanApproved, PlanFiled, Role, SettingUnit
from services.feedback.events import (
    Addressee,
    InNameOf,
    OpinionReconsidered,
    OpinionRefused,
    OpinionSubmitted,
)
from services.meetings.events import (
    Aspect,
    BriefingPart,
    ExaminationGate,
    MeetingGate,
    MeetingKind,
    SpeechAct,
)
from services.oversight.rules import checks
from services.oversight.rules.evidence import Happened
from services.oversight.rules.lines import Meeting, Speech, Talk, proofs, proved
from services.oversight.rules.populations import AT_THE_BRIEFING, briefings_of, counts, kebab
from services.oversight.rules.world import Period, Subject, World
from services.rectification.events import IssueClaimed
from services.study.events import (
    CatalogueItemRevised,
    DifficultyReopened,
    DifficultySolved,
    ReflectionRated,
)
from services.talks.events import (
    RequestedTalkHeld,
    RequestedTalkVoided,
    Side,
    TalkRequestAccepted,
    TalkRequestRefused,
    TalkRequestWithdrawn,
)
from shared.decider import PersonId

type Proof = tuple[str, ...]
"""Ids of events; none where something is missing."""

type Fulfilment = Callable[[World, Subject, Period], Proof]

MISSING: Proof = ()


class Waved(tuple[str, ...]):
    """Not done, but the supervision group waved it through by these events of another service."""

    __slots__ = ()


# -- Campaign ------------------------------------------------------------------------------------


def _inside(w: World, subject: Subject, _: Period) -> Proof:
    """The day a record is about lies within the campaign."""
    window = w.window
    day, event = checks.dated(w, subject[0])
    return (event,) if window and day is not None and day in window else MISSING


def _reviewed(w: World, subject: Subject, _: Period) -> Proof:
    """The filed wording was approved before, by somebody of the supervision group on that day."""
    life = w.lives["campaign.campaign"][subject[0]]
    filed = life.latest(PlanFiled)
    approvals = [
        h
        for h in life.all(PlanApproved)
        if filed
        and h.event.revision == filed.event.revision
        and h.position < filed.position
        and h.by in w.directory.roster.acting(Role.supervisor, w.on(h.at))
    ]
    return proofs(approvals[-1], filed) if approvals else MISSING


def _staged(w: World, subject: Subject, _: Period) -> Proof:
    life = w.lives.get("campaign.campaign", {}).get(subject[0])
    names = {stage.name for stage in w.campaign.stages} if w.campaign else set()
    return (life.first.id,) if life and len(names) == 3 else MISSING  # noqa: PLR2004 -- the plan's three


def _ledger_begun(w: World, _: Subject, period: Period) -> Proof:
    """The first entry of the ledger."""
    first = min((i.opened for i in w.issues.values()), key=lambda h: (h.at, h.id), default=None)
    return (first.id,) if first and w.on(first.at) in period else MISSING


def _inspected(w: World, _: Subject, period: Period) -> Proof:
    return tuple(
        life.standing[0].id
        for life in w.counting("campaign.inspection")
        if life.what.kind is InspectionKind.frugality_regulations and life.what.held_on in period
    )


# -- Study ---------------------------------------------------------------------------------------


def _read(w: World, subject: Subject, period: Period) -> Proof:
    """Read in the edition there is today."""

    def readings() -> dict[Subject, list[tuple[date, int, str]]]:
        found: dict[Subject, list[tuple[date, int, str]]] = {}
        for life in w.counting("study.reading"):
            entry = (life.what.on, life.what.edition, life.standing[0].id)
            found.setdefault((w.who(life.what.person), life.what.item), []).append(entry)
        return found

    revised = w.lives["study.catalogue"][subject[1]].latest(CatalogueItemRevised)
    edition = revised.event.edition if revised else 1
    known = w.once("readings", readings).get(subject, [])
    return tuple(e for day, read, e in known if day <= w.reference(period) and read >= edition)


def _session(w: World, subject: Subject, period: Period) -> Proof:
    return tuple(
        life.standing[0].id
        for life in w.counting("study.session")
        if kebab(life.what.kind) == subject[0] and life.what.held_on in period
    )


def _gap(w: World, subject: Subject, _: Period) -> Proof:
    def gaps() -> dict[Subject, str]:
        return {
            (w.who(life.what.person), life.what.aspect.value): life.standing[0].id
            for life in w.counting("study.gap")
            if life.what.campaign == w.directory.current
        }

    found = w.once("gaps", gaps).get(subject)
    return (found,) if found else MISSING


def _reflected(w: World, subject: Subject, period: Period) -> Proof:
    def reflections() -> dict[str, list[tuple[date, str]]]:
        found: dict[str, list[tuple[date, str]]] = {}
        for life in w.counting("study.reflection"):
            entry = (life.what.written_on, life.standing[0].id)
            found.setdefault(w.who(life.what.author), []).append(entry)
        return found

    known = w.once("reflections", reflections).get(subject[0], [])
    return tuple(event for day, event in known if day in period)


def _rated(w: World, subject: Subject, _: Period) -> Proof:
    return proofs(w.lives["study.reflection"][subject[0]].latest(ReflectionRated))


def _donated(w: World, subject: Subject, period: Period) -> Proof:
    """The year's gifts come to the amount that was set, and a pupil is supported (R16)."""
    setting = w.directory.policy.values.get("donation_amount")
    gifts = [a for a in w.activities(subject[0], "donation") if a.what.on in period]
    pairings = [a for a in w.activities(subject[0], "pairing_support") if a.what.on in period]
    total = sum((gift.what.amount or Decimal(0) for gift in gifts), Decimal(0))
    tied = [a for a in (*pairings, *gifts) if a.what.pupil]
    if setting is None or total < Decimal(setting.value) or not tied:
        return MISSING
    return proved(a.standing[0] for a in (*gifts, *tied))


def _visited(w: World, subject: Subject, period: Period) -> Proof:
    """A colleague in difficulty was visited, and a difficulty is solved."""
    visits = [a for a in w.activities(subject[0], "staff_visit") if a.what.on in period]
    outcomes = (visit.latest(DifficultySolved, DifficultyReopened) for visit in visits)
    solved = [h for h in outcomes if h and isinstance(h.event, DifficultySolved)]
    return proved((visits[0].standing[0], *solved)) if solved else MISSING


def _one_tie(w: World, subject: Subject, _: Period) -> Proof:
    held = [t for t in w.ties if w.who(t.person) == subject[0] and t.holds(w.day)]
    return (held[0].opened.id,) if len(held) == 1 else MISSING


def _did(kind: str) -> Fulfilment:
    return lambda w, subject, period: w.did(subject[0], kind, period)


# -- Feedback ------------------------------------------------------------------------------------


def _organisational(w: World) -> dict[Subject, list[tuple[str, Happened]]]:
    """The organisation's solicitations per campaign and subject, in the order they began."""

    def found() -> dict[Subject, list[tuple[str, Happened]]]:
        some: dict[Subject, list[tuple[str, Happened]]] = {}
        for i, (opened, told) in w.solicitations.items():
            if told.in_name_of is InNameOf.organisation:
                some.setdefault((told.campaign, kebab(told.subject)), []).append((i, opened))
        for several in some.values():
            several.sort(key=lambda one: (one[1].at, one[0]))
        return some

    return w.once("organisational", found)


def _asked_once(w: World, subject: Subject, _: Period) -> Proof:
    asked = _organisational(w).get(subject, [])
    return (asked[0][1].id,) if len(asked) == 1 else MISSING


def _not_again(w: World, subject: Subject, _: Period) -> Proof:
    opened, told = w.solicitations[subject[0]]
    first = _organisational(w)[told.campaign, kebab(told.subject)][0][0]
    return (opened.id,) if first == subject[0] else MISSING


def _listened(w: World, subject: Subject, period: Period) -> Proof:
    return tuple(
        opened.id
        for opened, told in w.solicitations.values()
        if told.in_name_of is InNameOf.individual
        and w.who(told.issuer) == subject[0]
        and told.opens_on in period
    )


def _verbatim(w: World, subject: Subject, _: Period) -> Proof:
    """One wording, with its hash; whether the log still holds it is for audit to say."""
    submitted = w.opinions[subject[0]].all(OpinionSubmitted)
    return (
        (submitted[0].id,)
        if len(submitted) == 1 and submitted[0].event.verbatim_sha256
        else MISSING
    )


def _reported(w: World, subject: Subject, _: Period) -> Proof:
    """Its reports together list every opinion that stands and was given in answer to it."""

    def heard() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for i, life in w.opinions.items():
            if life.what.solicitation and life.last.event.TYPE != "feedback.opinion.withdrawn.v1":
                found.setdefault(life.what.solicitation, set()).add(i)
        return found

    reports = [r for r in w.counting("feedback.report") if r.what.solicitation == subject[0]]
    listed = {opinion for report in reports for opinion in report.what.opinions}
    missing = w.once("heard", heard).get(subject[0], set()) - listed
    return tuple(r.standing[0].id for r in reports) if not missing else MISSING


def _collated(w: World, subject: Subject, _: Period) -> Proof:
    refused = w.opinions[subject[0]].latest(OpinionRefused, OpinionReconsidered)
    if refused and isinstance(refused.event, OpinionRefused):
        return (refused.id,)
    return w.collated.get(subject[0], MISSING)


def _on_the_ledger(w: World, subject: Subject, _: Period) -> Proof:
    """The issue that came of a collation's group: the one with the same opinions as source."""

    def by_source() -> dict[tuple[str, frozenset[str]], list[str]]:
        found: dict[tuple[str, frozenset[str]], list[str]] = {}
        for issue in w.issues.values():
            for source in issue.what.sources:
                where = (source.id, frozenset(source.opinions))
                found.setdefault(where, []).append(issue.opened.id)
        return found

    proposed = w.collations[subject[0]].closed.event.issues
    chosen = next(i for i in proposed if kebab(i.key)[:36] == subject[1])
    opinions = frozenset(part.opinion for part in chosen.parts)
    alike = [i.key for i in proposed if frozenset(p.opinion for p in i.parts) == opinions]
    opened = w.once("by-source", by_source).get((subject[0], opinions), [])
    place = alike.index(chosen.key)
    return (opened[place],) if place < len(opened) else MISSING


# -- Issues --------------------------------------------------------------------------------------


def _outside_verdict(w: World, subject: Subject, _: Period) -> Proof:
    verdicts = (h for h in w.issues[subject[0]].verdicts)
    return proved(h for h in verdicts if not _of_the_team(w, h.event.originator, w.on(h.at)))


def _of_the_team(w: World, person: str, day: date) -> bool:
    entry = w.directory.roster.people.get(PersonId(w.who(person)))
    return bool(entry and entry.roles(day) & {Role.team_member, Role.principal_leader})


def _earnest(w: World, subject: Subject, _: Period) -> Proof:
    issue = w.issues[subject[0]]
    suspected = checks.false_closings(w)
    return proofs(issue.struck_off) if subject[0] not in suspected else MISSING


def _claimed_in_person(w: World, subject: Subject, _: Period) -> Proof:
    """Claimed, by whom it is about."""
    issue = w.issues[subject[0]]
    if issue.taken is None or not isinstance(issue.taken.event, IssueClaimed):
        return _waved_claims(w, issue.what.person)
    mine = issue.what.person is None or w.who(issue.what.person) == w.who(issue.taken.event.owner)
    return (issue.taken.id,) if mine else MISSING


def _waved_claims(w: World, person: str | None) -> Proof:
    """Somebody was let submit their examination before they had claimed everything."""
    waved = [
        paper.waved[ExaminationGate.issues_claimed]
        for paper in w.examinations.values()
        if person and paper.person and w.who(paper.person) == w.who(person)
        if ExaminationGate.issues_claimed in paper.waved
    ]
    return Waved(proved(waved))


def _claimed(w: World, subject: Subject, _: Period) -> Proof:
    taken = w.issues[subject[0]].taken
    return (taken.id,) if taken and isinstance(taken.event, IssueClaimed) else MISSING


def _moved(w: World, subject: Subject, _: Period) -> Proof:
    """The line had an event within the days after which it counts as stale (R42)."""
    moved = w.issues[subject[0]].moved
    return (
        (moved.id,) if moved and w.on(moved.at) >= w.once("fresh", lambda: _fresh(w)) else MISSING
    )


def _fresh(w: World) -> date:
    """The first day whose entries are not stale today."""
    within: Length = w.directory.period("stale_after")
    if within.unit is SettingUnit.school_days:
        return w.directory.calendar.school_days_from(w.day, -int(within.value))
    return w.day - max(timedelta(days=1), duration(within.value))


def _verified(w: World, subject: Subject, _: Period) -> Proof:
    issue = w.issues[subject[0]]
    return proofs(issue.verified, issue.struck_off) if issue.verified else MISSING


def _method(w: World, subject: Subject, _: Period) -> Proof:
    first = min(
        (i.opened for i in w.issues.values() if kebab(i.what.discovery) == subject[0]),
        key=lambda h: (h.at, h.id),
        default=None,
    )
    return proofs(first)


def _wind(w: World, subject: Subject, _: Period) -> Proof:
    """It names a wind; or whoever collated it marked it as none of the four.

    The ledger itself takes no issue that does neither.
    """
    issue = w.issues[subject[0]]
    unmarked = w.once("unmarked", lambda: _unmarked(w))
    sources = {(s.id, frozenset(s.opinions)) for s in issue.what.sources}
    return MISSING if not issue.what.winds and sources & unmarked else (issue.opened.id,)


def _unmarked(w: World) -> frozenset[tuple[str, frozenset[str]]]:
    """Groups of collations with no wind and no mark, by collation and opinions."""
    return frozenset(
        (i, frozenset(part.opinion for part in proposed.parts))
        for i, collation in w.collations.items()
        for proposed in collation.closed.event.issues
        if not proposed.winds and not proposed.not_four_winds
    )


def _planned(w: World, subject: Subject, _: Period) -> Proof:
    """The lines of plans for a team issue."""
    found = (plan.lines.get(subject[0]) for plan in w.plans.values())
    return proved(line[0] for line in found if line)


def _key_problem(w: World, subject: Subject, _: Period) -> Proof:
    chosen = (h for h, line in w.plans[subject[0]].lines.values() if line.key_problem)
    return proved(chosen)


def _divided(w: World, subject: Subject, _: Period) -> Proof:
    issue = w.issues[subject[0]]
    if issue.planned is None or issue.started is None:
        return MISSING
    complete = all(m.owner and m.begins_on and m.due_on for m in issue.planned.event.measures)
    return proofs(issue.planned, issue.started) if complete else MISSING


def _own_list(w: World, subject: Subject, _: Period) -> Proof:
    """Every issue of one's own has measures."""
    mine = [
        issue
        for issue in w.issues.values()
        if issue.owner and w.who(issue.owner) == subject[0]
        if issue.what.addressee is Addressee.member and counts(issue)
    ]
    return proved(i.planned for i in mine if i.planned) if all(i.planned for i in mine) else MISSING


# -- Talks ---------------------------------------------------------------------------------------


def _talked(w: World, subject: Subject, period: Period) -> Proof:
    talks = w.pair_talks.get(frozenset(subject), [])
    return proved(t.held for t in talks if w.on(t.told.begun_at) in period)


def _answered(w: World, subject: Subject, _: Period) -> Proof:
    """Accepted, held or refused with its reason; one taken back needs no answer."""
    life = w.lives["talks.request"][subject[0]]
    answer = life.latest(TalkRequestAccepted, TalkRequestRefused, TalkRequestWithdrawn)
    talk = life.latest(RequestedTalkHeld, RequestedTalkVoided)
    held = talk if talk and isinstance(talk.event, RequestedTalkHeld) else None
    return proofs(answer, held)


def _of_a_talk(good: Callable[[World, Talk], bool]) -> Fulfilment:
    def fulfilled(w: World, subject: Subject, _: Period) -> Proof:
        talk = w.talks[subject[0]]
        return (talk.held.id,) if good(w, talk) else MISSING

    return fulfilled


def _asked_both_ways(w: World, talk: Talk) -> bool:
    """Everybody asked what the other thinks of them, and was told."""
    asking = {w.who(s.party) for s in talk.told.sides if s.asked_about_me and s.opinion_about_me}
    return asking >= {w.who(party) for party in talk.told.parties}


def _long_enough(w: World, talk: Talk) -> bool:
    minutes = int(w.directory.period("minimum_talk").value)
    return talk.told.ended_at - talk.told.begun_at >= timedelta(minutes=minutes)


def _spoken_of(*fields: str) -> Callable[[World, Talk], bool]:
    def all_spoken_of(_: World, talk: Talk) -> bool:
        sides: tuple[Side, ...] = talk.told.sides
        return all(any(getattr(side, name) for side in sides) for name in fields)

    return all_spoken_of


def _talked_before(w: World, subject: Subject, _: Period) -> Proof:
    """A criticism was told its receiver in an earlier talk of the same two: the one it names, or any."""
    met = w.meetings[subject[0]]
    speech = met.speeches[int(subject[1])]
    pair = frozenset(w.who(p) for p in (speech.speaker, speech.receiver or ""))
    earlier = [
        t for t in w.pair_talks.get(pair, []) if met.began_at and t.told.begun_at < met.began_at
    ]
    if speech.talk:
        return proved(t.held for t in earlier if t.id == speech.talk)
    told = (t.held for t in earlier if _communicated(w, t, speech))
    return proved(told)


def _communicated(w: World, talk: Talk, speech: Speech) -> bool:
    there = {(w.who(c.giver), w.who(c.receiver)) for c in talk.told.communicated}
    return (w.who(speech.speaker), w.who(speech.receiver or "")) in there


def _branch_of(w: World, talk: Talk) -> str | None:
    """The branch a talk is of: the one it names, or the one all who talked belong to."""
    if talk.told.branch:
        return talk.told.branch
    day = w.on(talk.told.begun_at)
    people = w.directory.roster.people
    known = [people.get(w.who(p)) for p in talk.told.parties]  # type: ignore[call-overload]  # ids
    branches = {entry.branch(day) if entry else None for entry in known}
    only = branches.pop() if len(branches) == 1 and len(known) > 1 else None
    return str(only) if only else None


def _branch_talks(w: World) -> dict[str, list[Talk]]:
    def found() -> dict[str, list[Talk]]:
        some: dict[str, list[Talk]] = {}
        for talk in w.talks.values():
            if branch := _branch_of(w, talk):
                some.setdefault(branch, []).append(talk)
        return some

    return w.once("branch-talks", found)


def _branch_talked(w: World, subject: Subject, period: Period) -> Proof:
    talks = _branch_talks(w).get(subject[0], [])
    return proved(t.held for t in talks if w.on(t.told.begun_at) in period)


def _first_talks(w: World, period: Period) -> dict[str, tuple[date, Talk]]:
    """Everybody's first talk in a period, by its day."""

    def found() -> dict[str, tuple[date, Talk]]:
        some: dict[str, tuple[date, Talk]] = {}
        for talk in sorted(w.talks.values(), key=lambda t: (t.told.begun_at, t.id)):
            day = w.on(talk.told.begun_at)
            for person in talk.told.parties if day in period else ():
                some.setdefault(w.who(person), (day, talk))
        return some

    return w.once(("first-talks", period.key), found)


def _talked_first(w: World, subject: Subject, period: Period) -> Proof:
    """They have talked, and nobody else of their branch on an earlier day (R56, 带头 read as order).

    Who leads a branch leads its members; who leads the administration those of their own branch.
    """
    day, roster = w.reference(period), w.directory.roster
    firsts = _first_talks(w, period)
    entry, own = roster.people.get(PersonId(subject[0])), firsts.get(subject[0])
    if entry is None or own is None:
        return MISSING
    heads = frozenset(w.holders(Role.administrative_head, day))
    led = {*entry.units(Role.branch_secretary, day)}
    if subject[0] in heads and (branch := entry.branch(day)):
        led.add(branch)
    others = {p for b in led for p in roster.members(b, day) - w.secretaries(b, day) - heads}
    late = any(firsts[p][0] < own[0] for p in others if p in firsts)
    return MISSING if late else (own[1].held.id,)


# -- Examinations --------------------------------------------------------------------------------


def _examined(w: World, subject: Subject, _: Period) -> Proof:
    """Submitted; somebody's own was drafted by themselves."""
    for paper in w.examinations.values():
        if paper.submitted is None:
            continue
        if subject == ("team",) and paper.team:
            return (paper.submitted.id,)
        mine = paper.person and w.who(paper.person) == subject[0]
        if mine and w.who(paper.drafted.by) == subject[0]:
            return (paper.submitted.id,)
    return MISSING


SECTIONS = ("basic_situation", "manifestations", "cause_analysis", "improvement_measures")


def _four_sections(w: World, subject: Subject, _: Period) -> Proof:
    paper = w.examinations[subject[0]]
    if all(getattr(paper.paper, section) for section in SECTIONS):
        return proofs(paper.submitted)
    waved = paper.waved.get(ExaminationGate.four_sections)
    return Waved(proofs(waved))


def _weight(w: World, subject: Subject, _: Period) -> Proof:
    """The first section is no more than its equal share of the text (R61)."""
    paper = w.examinations[subject[0]]
    lengths = [getattr(paper.paper.lengths, section) for section in SECTIONS]
    return proofs(paper.submitted) if lengths[0] * len(lengths) <= sum(lengths) else MISSING


def _four_causes(w: World, subject: Subject, _: Period) -> Proof:
    paper = w.examinations[subject[0]]
    looked = {aspect for cause in paper.paper.causes for aspect in cause.aspects}
    return proofs(paper.submitted) if looked >= set(Aspect) else MISSING


def _issue_answered(w: World, subject: Subject, _: Period) -> Proof:
    paper = w.examinations[subject[0]]
    return proofs(paper.submitted) if subject[1] in paper.paper.answers else MISSING


def _complete(w: World, subject: Subject, _: Period) -> Proof:
    paper = w.examinations[subject[0]]
    measure = paper.paper.measures[int(subject[1]) - 1]
    whole = measure.owner and measure.due_on and measure.deliverable
    return proofs(paper.submitted) if whole else MISSING


def _led_adopted_consulted(w: World, subject: Subject, _: Period) -> Proof:
    """R65: drafted under a principal leader, adopted by a leadership meeting, then replies in a scope."""
    paper = w.examinations[subject[0]]
    day = w.on(paper.drafted.occurred)
    leaders = w.holders(Role.principal_leader, day)
    led = paper.presided_by and w.who(paper.presided_by) in leaders
    where = w.meetings.get(paper.meeting or "")
    adopted = paper.adopted and where and where.kind is MeetingKind.leadership
    consulted = paper.consulted and paper.consulted.event.replies
    if not (led and adopted and consulted):
        return MISSING
    return proofs(paper.drafted, paper.adopted, paper.consulted)


# -- Meetings ------------------------------------------------------------------------------------


def _of_a_meeting(proof: Callable[[World, Meeting, Subject], Proof]) -> Fulfilment:
    return lambda w, subject, _: proof(w, w.meetings[subject[0]], subject)


def _approved(_: World, met: Meeting, __: Subject) -> Proof:
    in_time = (
        met.approved and met.held and met.approved.position < met.held.position
    ) and met.approved_revision == met.revision
    if in_time:
        return proofs(met.approved)
    return Waved(proofs(met.waved.get(MeetingGate.plan_approval)))


def _agreed(_: World, met: Meeting, __: Subject) -> Proof:
    if met.agreed and met.agreed.event.on == met.on:
        return proofs(met.agreed)
    return Waved(proofs(met.waved.get(MeetingGate.date_agreement)))


def _team_examined(w: World, met: Meeting, _: Subject) -> Proof:
    leaders = w.holders(Role.principal_leader, met.on or w.day)
    spoken = met.said(SpeechAct.team_self_examination)
    return proved(s.recorded for s in spoken if w.who(s.speaker) in leaders)


def _leader_first(w: World, met: Meeting, subject: Subject) -> Proof:
    leaders = w.holders(Role.principal_leader, met.on or w.day)
    spoken = met.said(SpeechAct.self_criticism)
    own = next((s for s in spoken if w.who(s.speaker) == subject[1]), None)
    others = [s.number for s in spoken if w.who(s.speaker) not in leaders]
    return proofs(own.recorded) if own and all(own.number < n for n in others) else MISSING


def _self_criticised(w: World, met: Meeting, subject: Subject) -> Proof:
    spoken = met.said(SpeechAct.self_criticism)
    return proved(s.recorded for s in spoken if w.who(s.speaker) == subject[1])


def _criticised(w: World, met: Meeting, subject: Subject) -> Proof:
    def edges() -> dict[Subject, list[Happened]]:
        found: dict[Subject, list[Happened]] = {}
        for s in met.said(SpeechAct.criticism):
            pair = (w.who(s.speaker), w.who(s.receiver or ""))
            found.setdefault(pair, []).append(s.recorded)
        return found

    return proved(w.once(("edges", met.id), edges).get(subject[1:], []))


def _appraised(_: World, met: Meeting, __: Subject) -> Proof:
    return proofs(met.appraised)


def _briefed(w: World, met: Meeting, _: Subject) -> Proof:
    good = (
        b
        for b in briefings_of(w, met)
        if w.who(b.chair) in w.holders(Role.principal_leader, b.on or w.day)
        and (b.began_at and met.began_at and b.began_at > met.began_at)
    )
    return proved(b.held for b in good if b.held)


def _part_told(w: World, met: Meeting, subject: Subject) -> Proof:
    """A part was told; the evaluation only after the supervision group had given it."""
    told = next((h for part, h in met.parts.items() if kebab(part) == subject[1]), None)
    if told is None or subject[1] != kebab(BriefingPart.supervision_evaluation):
        return proofs(told)
    reported = w.meetings.get(met.reports_on or "")
    given = reported.appraised if reported else None
    return proofs(told, given) if given and given.at <= told.at else MISSING


def _came(w: World, met: Meeting, subject: Subject) -> Proof:
    """Somebody of the group was there."""
    invited = {p for role in AT_THE_BRIEFING[subject[1]] for p in w.holders(role, met.on or w.day)}
    there = (h for p, h in met.present.items() if w.who(p) in invited)
    return proved(there)


def _attended(w: World, met: Meeting, subject: Subject) -> Proof:
    return proved(
        h for p, h in (*met.present.items(), *met.made_up.items()) if w.who(p) == subject[1]
    )


def _secretary_first(w: World, met: Meeting, _: Subject) -> Proof:
    spoken = met.said(SpeechAct.self_criticism)
    leaders = w.secretaries(met.branch or "", met.on or w.day)
    return proofs(spoken[0].recorded) if spoken and w.who(spoken[0].speaker) in leaders else MISSING


def _branch_met(w: World, subject: Subject, period: Period) -> Proof:
    """A meeting of the branch with measures, and an appraisal of its members."""
    held = [
        m
        for m in w.held(MeetingKind.organisational_life)
        if m.branch == subject[0] and m.measures and m.on and m.on in period
    ]
    appraisals = [a for a in w.appraisals.values() if a.branch == subject[0]]
    if not held or not appraisals:
        return MISSING
    return proofs(held[0].held, next(iter(held[0].measures.values())), appraisals[0].opened)


# -- Appraisals ----------------------------------------------------------------------------------


def _entries(w: World, name: str) -> dict[str, list[Happened]]:
    """The entries of a kind by the member they are about."""

    def found() -> dict[str, list[Happened]]:
        some: dict[str, list[Happened]] = {}
        for appraisal in w.appraisals.values():
            entries: dict[str, Happened] = getattr(appraisal, name)
            for member, happened in entries.items():
                some.setdefault(w.who(member), []).append(happened)
        return some

    return w.once(("entries", name), found)


def _summary(w: World, subject: Subject, _: Period) -> Proof:
    return proved(_entries(w, "own").get(subject[0], []))


def _mutual(w: World, subject: Subject, _: Period) -> Proof:
    """They appraised somebody, and somebody appraised them."""
    pairs = [
        (w.who(g), w.who(m), h) for a in w.appraisals.values() for (g, m), h in a.mutual.items()
    ]
    given = [h for giver, member, h in pairs if giver == subject[0] != member]
    received = [h for giver, member, h in pairs if member == subject[0] != giver]
    return proofs(given[0], received[0]) if given and received else MISSING


def _commented(w: World, subject: Subject, _: Period) -> Proof:
    """R84 by the school's reading: the principal of the branch comments, or the school's."""
    of_the_school = w.setting("commenting_principal") == "school"
    found = []
    for appraisal in w.appraisals.values():
        if of_the_school:
            principals = frozenset(w.holders(Role.principal_leader, appraisal.on))
        else:
            principals = w.secretaries(appraisal.branch, appraisal.on)
        found += [
            happened
            for (principal, member), happened in appraisal.comments.items()
            if w.who(member) == subject[0] and w.who(principal) in principals
        ]
    return proved(found)


def _rightly(w: World, subject: Subject, _: Period) -> Proof:
    """Only who has the best grade of the scale may be recommended."""
    appraisal = w.appraisals[subject[0]]
    best = {w.who(p) for p, (_, grade) in appraisal.results.items() if grade == appraisal.scale[0]}
    if subject[1] not in best:
        return MISSING
    return proved(h for p, h in appraisal.recommended.items() if w.who(p) == subject[1])


def _educated(w: World, subject: Subject, _: Period) -> Proof:
    appraisal = w.appraisals[subject[0]]

    def of(book: dict[str, Happened]) -> Happened | None:
        return next((h for p, h in book.items() if w.who(p) == subject[1]), None)

    education, disposition = of(appraisal.educated), of(appraisal.disposed)
    return proofs(education, disposition) if education and disposition else MISSING


FULFILMENTS: dict[str, Fulfilment] = {
    "inside_the_campaign": _inside,
    "reviewed_before_filing": _reviewed,
    "three_stages": _staged,
    "ledger_begun": _ledger_begun,
    "outside_verdict": _outside_verdict,
    "closed_in_earnest": _earnest,
    "frugality_inspection": _inspected,
    "reading_done": _read,
    "study_form_held": _session,
    "gap_recorded": _gap,
    "reflection_written": _reflected,
    "reflection_rated": _rated,
    "donated_and_tied": _donated,
    "visited_and_solved": _visited,
    "one_contact_unit": _one_tie,
    "lesson_observed": _did("lesson_observation"),
    "canteen_meal": _did("canteen_meal"),
    "dormitory_visit": _did("dormitory_visit"),
    "theory_read": _did("monograph_study"),
    "research_activity": _did("research_activity"),
    "research_topic": _did("research_topic"),
    "public_lesson": _did("open_class"),
    "research_article": _did("research_article"),
    "pupil_tutored": _did("named_tutoring"),
    "asked_once": _asked_once,
    "claimed_in_person": _claimed_in_person,
    "not_asked_again": _not_again,
    "listened": _listened,
    "verbatim_kept": _verbatim,
    "reported": _reported,
    "collated": _collated,
    "on_the_ledger": _on_the_ledger,
    "moved_lately": _moved,
    "verified_before": _verified,
    "method_used": _method,
    "wind_named": _wind,
    "talked_one_by_one": _talked,
    "request_answered": _answered,
    "opinions_asked_both_ways": _of_a_talk(_asked_both_ways),
    "long_enough": _of_a_talk(_long_enough),
    "strengths_and_shortcomings": _of_a_talk(_spoken_of("strengths", "shortcomings")),
    "own_and_other_problems": _of_a_talk(_spoken_of("own_problems", "shortcomings")),
    "talked_before": _talked_before,
    "branch_talked": _branch_talked,
    "talked_first": _talked_first,
    "claimed_of_own_accord": _claimed,
    "examination_submitted": _examined,
    "four_sections": _four_sections,
    "weight_on_the_last_three": _weight,
    "four_causes": _four_causes,
    "issue_answered": _issue_answered,
    "measure_complete": _complete,
    "led_adopted_consulted": _led_adopted_consulted,
    "plan_approved_before": _of_a_meeting(_approved),
    "date_agreed": _of_a_meeting(_agreed),
    "team_examined": _of_a_meeting(_team_examined),
    "leader_first": _of_a_meeting(_leader_first),
    "criticised": _of_a_meeting(_criticised),
    "self_criticised": _of_a_meeting(_self_criticised),
    "criticised_or_shown": _of_a_meeting(_criticised),
    "appraised": _of_a_meeting(_appraised),
    "briefed": _of_a_meeting(_briefed),
    "part_told": _of_a_meeting(_part_told),
    "came": _of_a_meeting(_came),
    "branch_met": _branch_met,
    "attended": _of_a_meeting(_attended),
    "secretary_first": _of_a_meeting(_secretary_first),
    "summary_given": _summary,
    "appraised_mutually": _mutual,
    "commented": _commented,
    "recommended_rightly": _rightly,
    "educated_and_disposed": _educated,
    "in_the_plan": _planned,
    "key_problem_marked": _key_problem,
    "divided_and_dated": _divided,
    "own_list": _own_list,
}
