"""The life of a talk: arranged or not, held, on record, confirmed by everybody who talked."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, assert_never

from pydantic import ConfigDict, Field

from services.campaign.calendar import FARTHEST
from services.campaign.directory import Directory
from services.campaign.events import Role, UnitKind
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.talks.events import (
    Audience,
    Communicated,
    Side,
    TalkArranged,
    TalkCancelled,
    TalkConfirmed,
    TalkCorrected,
    TalkDisputed,
    TalkEvent,
    TalkHeld,
    TalkKind,
    TalkProblemRaised,
    TalkRearranged,
    TalkReleased,
    TalkVoided,
    Told,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Occurred, PlainLine, Prose, Sealed

PEOPLE = frozenset({"person"})
OFFICE = frozenset(
    {
        Role.principal_leader,
        Role.branch_secretary,
        Role.administrative_head,
        Role.school_administrator,
        Role.supervisor,
    }
)
"""Who sees to it that talks come about, without being told what is said in them."""
FEWEST = {TalkKind.one_by_one: 2, TalkKind.group: 3, TalkKind.branch: 2}
"""How many have to talk at least, by kind."""
LONGEST = timedelta(days=1)

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Requested:
    """The request that a talk is to answer: whose it was, and the talk it led to, if it did.

    An asker who is on no roster has no id.
    """

    asker: PersonId | None
    asked: PersonId
    talk: str | None = None


@dataclass(frozen=True)
class Facts:
    """What a decision on a talk looks at beside it: the school, and the request it is to answer.

    A voided request is none: a talk arranged because of it is held without it.
    """

    directory: Directory
    request: Requested | None = None

    def in_office(self, command: Command) -> bool:
        """Whether the sender holds one of the office's roles today."""
        day = self.directory.day(command.at)
        return bool(self.directory.roster.roles(command.by, day) & OFFICE)


# -- Commands ------------------------------------------------------------------------------------

Parties = Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
Outsider = Annotated[PlainLine | None, Sealed(part="outsider")]


class SideAsked(Side):
    """One party's side as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    party: Id  # type: ignore[assignment]  # a person's id, its form checked
    opinion_about_me: Prose | None = None
    suggestions_to_me: Prose | None = None
    strengths: Prose | None = None
    shortcomings: Prose | None = None
    own_problems: Prose | None = None


class CommunicatedAsked(Communicated):
    """Criticism told beforehand, as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    giver: Id  # type: ignore[assignment]  # as above
    receiver: Id  # type: ignore[assignment]  # as above
    criticism: Prose


class _Planning(Command):
    """Who is to talk, when and where."""

    allowed = PEOPLE
    kind: TalkKind
    parties: Parties
    outsider: Outsider = None
    branch: Id | None = None
    place: Line | None = None
    planned_at: Instant


class ArrangeTalk(_Planning):
    """Agree on a talk that is to be held; a party does so, or the office."""

    zh = "约定谈心谈话"
    creates = True
    request: Id | None = None


class RearrangeTalk(_Planning):
    """Agree on something else before the talk was held, or put the arrangement right."""

    zh = "变更谈话安排"
    reason: Prose


class CancelTalk(Command):
    """Say that an arranged talk will not be held."""

    zh = "取消谈话"
    allowed = PEOPLE
    reason: Prose


class _Telling(Command):
    """What a party puts on record of a talk; it is over, so its end is what has occurred."""

    allowed = PEOPLE
    kind: TalkKind
    parties: Parties
    others: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    outsider: Outsider = None
    branch: Id | None = None
    place: Line
    begun_at: Instant
    ended_at: Annotated[Instant, Occurred()]
    sides: Annotated[tuple[SideAsked, ...], Field(max_length=200)] = ()
    communicated: Annotated[tuple[CommunicatedAsked, ...], Field(max_length=200)] = ()
    helped: Annotated[Prose | None, Sealed(part="help")] = None


class HoldTalk(_Telling):
    """Put on record that an arranged talk was held, and what was said in it."""

    zh = "登记谈话记录"


class RecordTalk(_Telling):
    """Put a talk on record that nobody had arranged."""

    zh = "补记谈心谈话"
    creates = True
    request: Id | None = None


class CorrectTalk(_Telling):
    """Put the record right; everybody then confirms anew, and nothing stays released."""

    zh = "更正谈话记录"
    reason: Prose


class ConfirmTalk(Command):
    """Say, as a party, that it was as recorded."""

    zh = "确认谈话记录"
    allowed = PEOPLE


class DisputeTalk(Command):
    """Say, as a party, that it was not as recorded; what was confirmed can be disputed as well."""

    zh = "对谈话记录提出异议"
    allowed = PEOPLE
    reason: Prose


class ReleaseTalk(Command):
    """Name those who may read what was said, or none any more; it takes every party to do so."""

    zh = "授权公开谈话内容"
    allowed = PEOPLE
    audiences: tuple[Audience, ...]


class RaiseProblem(Command):
    """Make a problem heard in the talk an issue; `key` is its name within the talk."""

    zh = "提出谈话中反映的问题"
    allowed = PEOPLE
    key: Id
    title: Line
    description: Prose | None = None
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class VoidTalk(Command):
    """Declare that there was no such talk; it stays visible and counts nowhere."""

    zh = "作废谈话记录"
    allowed = OFFICE
    reason: Prose


type TalkCommand = (
    ArrangeTalk
    | RearrangeTalk
    | CancelTalk
    | HoldTalk
    | RecordTalk
    | CorrectTalk
    | ConfirmTalk
    | DisputeTalk
    | ReleaseTalk
    | RaiseProblem
    | VoidTalk
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What was arranged."""

    kind: TalkKind
    parties: tuple[PersonId, ...]
    outsider: str | None
    branch: str | None
    place: str | None
    planned_at: Instant


@dataclass(frozen=True)
class Dispute:
    """Why a party says that it was otherwise."""

    party: PersonId
    reason: str


@dataclass(frozen=True)
class Release:
    """To whom a party would show what was said."""

    party: PersonId
    audiences: tuple[Audience, ...]


@dataclass(frozen=True)
class Unheld:
    """Nobody has spoken of such a talk."""


@dataclass(frozen=True)
class Arranged:
    """To be held."""

    plan: Plan
    request: str | None
    arranged_by: PersonId


@dataclass(frozen=True)
class Cancelled:
    """Was not held."""

    reason: str


@dataclass(frozen=True)
class Held:
    """On record; each party confirms or disputes it."""

    told: Told
    request: str | None
    recorded_by: PersonId
    confirmed: frozenset[PersonId] = frozenset()
    disputes: tuple[Dispute, ...] = ()
    releases: tuple[Release, ...] = ()
    problems: tuple[TalkProblemRaised, ...] = ()

    @property
    def confirmed_by_all(self) -> bool:
        """Whether every party says that it was as recorded."""
        return self.confirmed >= set(self.told.parties)


@dataclass(frozen=True)
class Voided:
    """There was no such talk."""

    reason: str


type Talk = Unheld | Arranged | Cancelled | Held | Voided


# -- Rules ---------------------------------------------------------------------------------------


class TalkingWithOneself(Rejected):
    """It takes two different people to talk or to criticise."""

    zh = "不能与自己谈心、批评自己"


class NamedTwice(Rejected):
    """Somebody is named twice."""

    zh = "同一人员重复填写"


class TwoToATalk(Rejected):
    """A talk one by one is one of exactly two."""

    zh = "逐一谈心只能是两个人"


class NotEnoughParties(Rejected):
    """A group talk has three parties at least, a branch talk two."""

    zh = "集体谈心人数不足"


class NobodyThere(Rejected):
    """This person was not in the school on that day."""

    zh = "该人员当日不在本校在册名单中"


class BranchUnclear(Rejected):
    """A branch talk names its branch, any other talk names none."""

    zh = "支部谈心须注明党支部,其他谈话不得填写党支部"


class NoSuchBranch(Rejected):
    """There was no such branch on that day."""

    zh = "当日没有这个党支部"


class EndsBeforeItBegins(Rejected):
    """It ends before it begins."""

    zh = "结束时间不晚于开始时间"


class LongerThanADay(Rejected):
    """No talk lasts longer than a day: most likely a slip of the pen."""

    zh = "谈话时长超过一天,请核对"


class TooFarAway(Rejected):
    """A date lies more than ten years away: most likely a slip of the pen."""

    zh = "日期距今超过十年,请核对"


class NotAPartyToTheTalk(Rejected):
    """Only a party to the talk may do this."""

    zh = "只有谈话双方可以进行这一操作"


class NotForYouToArrange(Rejected):
    """Only a party to the talk or the office arranges it."""

    zh = "只有谈话双方或组织部门可以安排谈话"


class StrangerToTheTalk(Rejected):
    """What was said is said by a party to a party."""

    zh = "谈话内容涉及的人员不是谈话双方"


class ConfirmedByAll(Rejected):
    """Everybody has confirmed the record: one of them disputes it before it is corrected."""

    zh = "谈话双方均已确认,须先提出异议才能更正"


class OutsiderReleasesNothing(Rejected):
    """A party on no roster cannot agree, so this talk is released to nobody."""

    zh = "有校外人员参加的谈话不能授权公开"


class NoSuchRequest(Rejected):
    """There is no such request, or it was voided."""

    zh = "没有这次约谈,或已作废"


class RequestOfOthers(Rejected):
    """A talk that answers a request is held by who asked with who was asked."""

    zh = "约谈双方不是本次谈话的双方"


class RequestAnswered(Rejected):
    """This request led to another talk already."""

    zh = "该约谈已有对应的谈话记录"


class ProblemRaised(Rejected):
    """The talk has a problem of that key already, and it says something else."""

    zh = "该编号的问题已提出,内容不一致"


class AddresseeUnclear(Rejected):
    """A personal issue names the person, a team's issue does not."""

    zh = "个人问题须写明本人,班子问题不得指定个人"


class WindsUnclear(Rejected):
    """An issue has at least one of the four winds or is marked as none of them, not both (R45)."""

    zh = "须选择四风类别或注明不属于四风"


class FourEyes(Rejected):
    """Neither who recorded it nor a party may declare it void."""

    zh = "记录人和谈话双方不得作废谈话记录,须由他人操作"


# -- Deciding ------------------------------------------------------------------------------------


def decide(command: TalkCommand, talk: Talk, facts: Facts) -> TalkEvent | None:
    """One row per thing that may happen; what is not listed is refused.

    Talks of one person that overlap are a finding of oversight, and so is a short one (R52).
    """
    on_record = talk
    command, talk, facts = _by_name(command, talk, facts)
    match command, talk:
        # arranged
        case ArrangeTalk(), Unheld():
            _known(command.request, facts)
            _arranging(command, facts)
            plan = vars(_plan(command))
            return TalkArranged(**plan, request=command.request, arranged_by=command.by)
        case ArrangeTalk(by=person, request=request), Arranged(plan=plan):
            if (person, _plan(command), request) != (talk.arranged_by, plan, talk.request):
                raise OutOfOrder
            return None
        case RearrangeTalk(), Arranged(plan=plan):
            _may_arrange(command, plan, facts)
            if _plan(command) == plan:
                return None
            _arranging(command, facts)
            return TalkRearranged(**vars(_plan(command)), reason=command.reason)
        case CancelTalk(reason=reason), Arranged(plan=plan):
            _may_arrange(command, plan, facts)
            return TalkCancelled(reason=reason)
        case CancelTalk(reason=reason), Cancelled(before) if reason == before:
            return None

        # held
        case HoldTalk(by=person), Arranged(plan=plan, request=request):
            _party(person, plan.parties)
            return _held(command, request if facts.request else None, facts)
        case RecordTalk(request=request), Unheld():
            _known(request, facts)
            return _held(command, request, facts)
        case HoldTalk(by=person) | RecordTalk(by=person), Held(told=told):
            request = getattr(command, "request", talk.request)
            if person not in told.parties or (_told(command), request) != (told, talk.request):
                raise OutOfOrder
            return None
        case CorrectTalk(by=person, reason=reason), Held(told=told):
            _party(person, told.parties)
            if _told(command) == told:
                return None
            if talk.confirmed_by_all:
                raise ConfirmedByAll
            _telling(command, facts)
            return TalkCorrected(**dict(_told(command)), reason=reason)

        # confirmed or disputed
        case ConfirmTalk(by=person), Held():
            party = _as_recorded(person, on_record, facts)
            return None if person in talk.confirmed else TalkConfirmed(party=party)
        case DisputeTalk(by=person, reason=reason), Held():
            party = _as_recorded(person, on_record, facts)
            same = Dispute(person, reason) in talk.disputes
            return None if same else TalkDisputed(party=party, reason=reason)

        # shown and followed up
        case ReleaseTalk(by=person, audiences=chosen), Held(told=told):
            party = _as_recorded(person, on_record, facts)
            if told.outsider:
                raise OutsiderReleasesNothing
            audiences = tuple(audience for audience in Audience if audience in chosen)
            known = next((r.audiences for r in talk.releases if r.party == person), ())
            return None if audiences == known else TalkReleased(party=party, audiences=audiences)
        case RaiseProblem(by=person), Held(told=told):
            _party(person, told.parties)
            return _raised(command, talk, facts)

        # void
        case VoidTalk(by=person, reason=reason), Held(told=told):
            if person in {*told.parties, talk.recorded_by}:
                raise FourEyes
            raised = tuple(problem.key for problem in talk.problems)
            return TalkVoided(reason=reason, request=talk.request, problems=raised)
        case VoidTalk(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _by_name(command: TalkCommand, talk: Talk, facts: Facts) -> tuple[TalkCommand, Talk, Facts]:
    """The same with everybody named by the entry that stands, where duplicates were merged."""
    roster = facts.directory.roster
    request = roster.settled(facts.request)
    return roster.settled(command), roster.settled(talk), replace(facts, request=request)


# -- Who, when and where -------------------------------------------------------------------------


def _arranging(command: _Planning, facts: Facts) -> None:
    """Refuse what cannot be arranged."""
    _may_arrange(command, _plan(command), facts)
    directory = facts.directory
    day = directory.day(command.planned_at)
    if abs(day - directory.day(command.at)) > timedelta(days=FARTHEST):
        raise TooFarAway
    _company(command, command.planned_at, facts)
    _answering(command, facts)


def _telling(command: _Telling, facts: Facts) -> None:
    """Refuse what cannot have been; that it is not still to come the runtime sees to."""
    _party(command.by, command.parties)
    if command.ended_at <= command.begun_at:
        raise EndsBeforeItBegins
    if command.ended_at - command.begun_at > LONGEST:
        raise LongerThanADay
    _company(command, command.begun_at, facts, *command.others)
    _answering(command, facts)
    _once(side.party for side in command.sides)
    said = (
        *(side.party for side in command.sides),
        *(person for c in command.communicated for person in (c.giver, c.receiver)),
    )
    if strangers := set(said) - set(command.parties):
        raise StrangerToTheTalk(min(strangers))
    if any(c.giver == c.receiver for c in command.communicated):
        raise TalkingWithOneself


def _company(command: _Planning | _Telling, at: Instant, facts: Facts, *others: str) -> None:
    """Refuse a company that cannot have come together on that day."""
    parties, kind, directory = command.parties, command.kind, facts.directory
    if len(set(parties)) < len(parties):
        raise TalkingWithOneself
    _once((*parties, *others))
    count = len(parties) + bool(command.outsider)
    if kind is TalkKind.one_by_one and count != FEWEST[kind]:
        raise TwoToATalk
    if count < FEWEST[kind]:
        raise NotEnoughParties
    day = directory.day(at)
    for person in (*parties, *others):
        if not directory.roster.present(PersonId(person), day):
            raise NobodyThere(person)
    if (kind is TalkKind.branch) != (command.branch is not None):
        raise BranchUnclear
    if command.branch and not directory.has_unit(command.branch, UnitKind.branch, day):
        raise NoSuchBranch(command.branch)


def _once(people: Iterable[str]) -> None:
    named = tuple(people)
    if len(set(named)) < len(named):
        raise NamedTwice


def _party(person: PersonId, parties: Iterable[str]) -> None:
    if person not in parties:
        raise NotAPartyToTheTalk


def _as_recorded(person: PersonId, talk: Talk, facts: Facts) -> PersonId:
    """The id by which the record names a party: what is folded without a roster stays together."""
    identity = facts.directory.roster.identity
    for party in _on_record(talk).told.parties:
        if identity(party) == person:
            return party
    raise NotAPartyToTheTalk


def _may_arrange(command: Command, plan: Plan, facts: Facts) -> None:
    if command.by not in plan.parties and not facts.in_office(command):
        raise NotForYouToArrange


def _known(request: str | None, facts: Facts) -> None:
    if request and facts.request is None:
        raise NoSuchRequest(request)


def _answering(command: _Planning | _Telling, facts: Facts) -> None:
    """Refuse to answer a request with a talk of others (R49)."""
    if facts.request is None:
        return
    asker, asked = facts.request.asker, facts.request.asked
    came = asker in command.parties if asker else command.outsider is not None
    if asked not in command.parties or not came:
        raise RequestOfOthers
    if facts.request.talk not in {None, command.stream}:
        raise RequestAnswered


def _plan(command: _Planning) -> Plan:
    return Plan(
        command.kind,
        _people(command.parties),
        command.outsider,
        command.branch,
        command.place,
        command.planned_at,
    )


def _held(command: HoldTalk | RecordTalk, request: str | None, facts: Facts) -> TalkHeld:
    _telling(command, facts)
    return TalkHeld(**dict(_told(command)), request=request, recorded_by=command.by)


def _told(command: _Telling) -> Told:
    said: dict[str, Any] = {name: getattr(command, name) for name in Told.model_fields}
    return Told(
        **said
        | {
            "sides": tuple(Side(**dict(side)) for side in command.sides),
            "communicated": tuple(Communicated(**dict(c)) for c in command.communicated),
        }
    )


def _people(ids: Iterable[str]) -> tuple[PersonId, ...]:
    return tuple(PersonId(person) for person in ids)


def _raised(command: RaiseProblem, talk: Held, facts: Facts) -> TalkProblemRaised | None:
    """A problem that can become an issue: rectification would refuse any other."""
    said = {name: getattr(command, name) for name in TalkProblemRaised.model_fields}
    problem = TalkProblemRaised(**said)
    if problem in talk.problems:
        return None
    if any(known.key == problem.key for known in talk.problems):
        raise ProblemRaised(problem.key)
    if (problem.addressee is Addressee.member) != (problem.person is not None):
        raise AddresseeUnclear
    if bool(problem.winds) == problem.not_four_winds:
        raise WindsUnclear
    directory = facts.directory
    if problem.person and not directory.roster.present(problem.person, directory.day(command.at)):
        raise NobodyThere(problem.person)
    return problem


# -- Evolving ------------------------------------------------------------------------------------


def evolve(talk: Talk, event: TalkEvent) -> Talk:
    """What happened, happened: no rules here."""
    match event:
        case TalkArranged(request=request, arranged_by=person):
            return Arranged(_planned(event), request, person)
        case TalkRearranged():
            return replace(talk, plan=_planned(event))  # type: ignore[arg-type]  # only what was arranged is rearranged
        case TalkCancelled(reason=reason):
            return Cancelled(reason)
        case TalkHeld(request=request, recorded_by=person):
            return Held(told_by(event), request, person)
        case TalkCorrected():
            held = _on_record(talk)
            return Held(told_by(event), held.request, held.recorded_by, problems=held.problems)
        case TalkConfirmed(party=person):
            held = _on_record(talk)
            disputes = tuple(d for d in held.disputes if d.party != person)
            return replace(held, confirmed=held.confirmed | {person}, disputes=disputes)
        case TalkDisputed(party=person, reason=reason):
            held = _on_record(talk)
            disputes = tuple(d for d in held.disputes if d.party != person)
            return replace(
                held,
                confirmed=held.confirmed - {person},
                disputes=(*disputes, Dispute(person, reason)),
            )
        case TalkReleased(party=person, audiences=audiences):
            held = _on_record(talk)
            releases = tuple(r for r in held.releases if r.party != person)
            return replace(held, releases=(*releases, Release(person, audiences)))
        case TalkProblemRaised():
            held = _on_record(talk)
            return replace(held, problems=(*held.problems, event))
        case TalkVoided(reason=reason):
            return Voided(reason)
        case _:
            assert_never(event)


def told_by(event: Told) -> Told:
    """What an event says of a talk, apart from the rest of it."""
    return Told(**{name: getattr(event, name) for name in Told.model_fields})


def _planned(event: TalkArranged | TalkRearranged) -> Plan:
    return Plan(
        event.kind, event.parties, event.outsider, event.branch, event.place, event.planned_at
    )


def _on_record(talk: Talk) -> Held:
    return talk  # type: ignore[return-value]  # every event of a held talk finds one


decider: Decider[TalkCommand, TalkEvent, Talk, Facts] = Decider(
    "talk", Unheld(), decide, evolve, TalkCommand, TalkEvent, Talk
)
