"""The six ones of leaders and of members: what was done, by whom, on which day (R16-R28).

A pupil is only ever a pseudonym out of a list the school keeps apart. A visit may show a problem (R22).
"""

from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, assert_never

from pydantic import Field, StringConstraints

from services.campaign.calendar import Day
from services.campaign.directory import Directory
from services.feedback.events import Addressee, Discovery, Topic, Wind
from services.study.domain import (
    CHECKERS,
    by_today,
    may_record_for,
    must_be_here,
    school_year,
    somebody_else,
)
from services.study.events import (
    ActivityCorrected,
    ActivityEvent,
    ActivityKind,
    ActivityProblemRaised,
    ActivityRecorded,
    ActivityVoided,
    DifficultyReopened,
    DifficultySolved,
    Slogan,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Line, Prose

PupilId = Annotated[str, StringConstraints(pattern=r"^pupil-[0-9]{1,4}$")]
"""A pupil's pseudonym: a running number; neither a name nor a pupil's number fits in."""

Yuan = Annotated[Decimal, Field(max_digits=11, decimal_places=2)]
"""An amount in yuan, to the fen."""

WEEKLY = (
    ActivityKind.lesson_observation,
    ActivityKind.canteen_meal,
    ActivityKind.dormitory_visit,
)
"""What leaders do every teaching week (R19-R21)."""
YEARLY = (
    ActivityKind.monograph_study,
    ActivityKind.research_activity,
    ActivityKind.research_topic,
    ActivityKind.open_class,
    ActivityKind.research_article,
)
"""What members do every school year (R23-R27)."""
IN_TERM = frozenset({*WEEKLY, ActivityKind.named_tutoring})
"""What is counted by teaching week or by term (R28), and so takes place in one."""
VISITS = frozenset({*WEEKLY, ActivityKind.pairing_support, ActivityKind.staff_visit})
"""Where leaders see how things are, so that problems come to light (R22)."""

TELLING = frozenset({"title", "pupil", "amount", "visited"})
NEEDED: dict[ActivityKind, frozenset[str]] = {
    ActivityKind.donation: frozenset({"amount", "pupil"}),
    ActivityKind.pairing_support: frozenset({"pupil"}),
    ActivityKind.staff_visit: frozenset({"visited"}),
    ActivityKind.lesson_observation: frozenset({"title"}),
    ActivityKind.canteen_meal: frozenset(),
    ActivityKind.dormitory_visit: frozenset(),
    ActivityKind.named_tutoring: frozenset({"pupil"}),
    **dict.fromkeys(YEARLY, frozenset({"title"})),
}
"""Which of `TELLING` an activity of a kind has; it has none of the others."""

# -- Commands ------------------------------------------------------------------------------------


class _Told(Command):
    """An activity as a sender gives it; `amount` is in yuan."""

    kind: ActivityKind
    person: Id
    on: Day
    title: Line | None = None
    pupil: PupilId | None = None
    amount: Yuan | None = None
    visited: Id | None = None
    difficulty: Prose | None = None
    remarks: Prose | None = None
    slogans: Annotated[tuple[Slogan, ...], Field(max_length=10)] = ()


class RecordActivity(_Told):
    """Put one of the six ones on record: one's own, or as the office for somebody."""

    zh = "登记六个一活动"
    allowed = frozenset({"person"})
    creates = True


class CorrectActivity(_Told):
    """Put a clerk's mistake right."""

    zh = "更正六个一活动"
    allowed = frozenset({"person"})
    reason: Prose


class SolveDifficulty(Command):
    """Say on which day a colleague's difficulty was solved, and how (R17)."""

    zh = "登记困难已解决"
    allowed = frozenset({"person"})
    on: Day
    how: Prose


class ReopenDifficulty(Command):
    """Take back that the difficulty was solved."""

    zh = "撤销困难已解决"
    allowed = frozenset({"person"})
    reason: Prose


class RaiseProblemFromActivity(Command):
    """Raise what a visit or a lesson showed, so that it becomes an issue (R22).

    `key` is the problem's name within the activity.
    """

    zh = "从走访听课中提出问题"
    allowed = frozenset({"person"})
    key: Id
    title: Line
    description: Prose | None = None
    addressee: Addressee
    person: Id | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery = Discovery.self_found
    key_issue: bool = False
    strongly_reflected: bool = False


class VoidActivity(Command):
    """Strike out what did not take place; it stays visible and counts nowhere."""

    zh = "作废六个一活动"
    allowed = CHECKERS
    reason: Prose


type ActivityCommand = (
    RecordActivity
    | CorrectActivity
    | SolveDifficulty
    | ReopenDifficulty
    | RaiseProblemFromActivity
    | VoidActivity
)

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """What is written down of an activity."""

    kind: ActivityKind
    person: PersonId
    on: date
    title: str | None
    pupil: str | None
    amount: Decimal | None
    visited: PersonId | None
    difficulty: str | None
    remarks: str | None
    slogans: tuple[Slogan, ...]


@dataclass(frozen=True)
class Solution:
    """When a difficulty was solved, and how."""

    on: date
    how: str


@dataclass(frozen=True)
class Unrecorded:
    """No such activity."""


@dataclass(frozen=True)
class Recorded:
    """Done, and what came of it."""

    deed: Deed
    recorded_by: PersonId
    solution: Solution | None = None
    reopened_for: str | None = None
    problems: tuple[ActivityProblemRaised, ...] = ()


@dataclass(frozen=True)
class Voided:
    """A clerk's mistake; counts nowhere."""

    reason: str


type Activity = Unrecorded | Recorded | Voided

# -- Rules ---------------------------------------------------------------------------------------


class ActivityUnclear(Rejected):
    """An activity of this kind says other things than these; `detail` names them."""

    zh = "该类活动应填内容缺少或多填"


class NotAPositiveAmount(Rejected):
    """A donation is more than nothing (R16)."""

    zh = "捐资金额必须大于零"


class OutsideTerm(Rejected):
    """No term of the school's calendar has this day."""

    zh = "该日期不在任何学期内"


class OutsideSchoolYear(Rejected):
    """No school year of the school's calendar has this day."""

    zh = "该日期不在任何学年内"


class VisitedOneself(Rejected):
    """A visit is paid to somebody else (R17)."""

    zh = "走访对象不能是本人"


class NoDifficulty(Rejected):
    """This activity names no difficulty that could be solved."""

    zh = "该活动没有登记困难"


class SolvedBeforehand(Rejected):
    """The difficulty was solved before the visit that heard of it."""

    zh = "困难解决日期早于走访日期"


class NotAVisit(Rejected):
    """Only visits and lessons raise problems (R22)."""

    zh = "只有走访、听课类活动可以提出问题"


class ProblemKeyTaken(Rejected):
    """The activity has raised another problem under this key."""

    zh = "该活动已用此编号提出另一个问题"


class AddresseeUnclear(Rejected):
    """A personal problem names the person, a team's problem does not."""

    zh = "个人问题须写明本人,班子问题不得指定个人"


class WindsUnclear(Rejected):
    """A problem has at least one of the four winds or is marked as none of them, not both (R45)."""

    zh = "须选择四风类别或注明不属于四风"


# -- Deciding ------------------------------------------------------------------------------------


def decide(
    command: ActivityCommand, activity: Activity, directory: Directory
) -> ActivityEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    activity = directory.roster.settled(activity)
    match command, activity:
        case RecordActivity(by=recorder), Unrecorded():
            deed = _checked(command, directory)
            return ActivityRecorded(**vars(deed), recorded_by=recorder)
        case RecordActivity(), Recorded(deed) if deed == _deed(command):
            return None

        case CorrectActivity(reason=reason), Recorded(deed, solution=solution):
            if deed == _deed(command):
                return None
            may_record_for(deed.person, command, directory)
            corrected = _checked(command, directory)
            if solution and (corrected.difficulty is None or solution.on < corrected.on):
                raise SolvedBeforehand
            return ActivityCorrected(**vars(corrected), reason=reason)

        case SolveDifficulty(on=day, how=how), Recorded(deed, solution=None):
            may_record_for(deed.person, command, directory)
            if deed.difficulty is None:
                raise NoDifficulty
            if day < deed.on:
                raise SolvedBeforehand
            by_today(day, command.at, directory)
            return DifficultySolved(on=day, how=how)
        case SolveDifficulty(on=day, how=how), Recorded(solution=Solution() as known):
            if Solution(day, how) != known:
                raise OutOfOrder
            return None
        case ReopenDifficulty(reason=reason), Recorded(deed, solution=Solution()):
            may_record_for(deed.person, command, directory)
            return DifficultyReopened(reason=reason)
        case ReopenDifficulty(reason=reason), Recorded(reopened_for=before) if reason == before:
            return None

        case RaiseProblemFromActivity(key=key), Recorded(deed, problems=problems):
            raised = _raised(command)
            if raised in problems:
                return None
            if any(problem.key == key for problem in problems):
                raise ProblemKeyTaken
            may_record_for(deed.person, command, directory)
            if deed.kind not in VISITS:
                raise NotAVisit
            _clear(command, directory)
            return raised

        case VoidActivity(reason=reason), Recorded(recorded_by=recorder, problems=problems):
            somebody_else(command, recorder)
            return ActivityVoided(reason=reason, problems=tuple(p.key for p in problems))
        case VoidActivity(reason=reason), Voided(before) if reason == before:
            return None

        case _:
            raise OutOfOrder


def _checked(command: _Told, directory: Directory) -> Deed:
    """The activity as it may be recorded."""
    deed = _deed(command)
    may_record_for(deed.person, command, directory)
    _complete(deed)
    by_today(deed.on, command.at, directory)
    must_be_here(deed.on, directory, deed.person, *([deed.visited] if deed.visited else []))
    if deed.visited == deed.person:
        raise VisitedOneself
    if deed.kind in IN_TERM and directory.calendar.term(deed.on) is None:
        raise OutsideTerm
    if school_year(deed.on, directory) is None:
        raise OutsideSchoolYear
    return deed


def _complete(deed: Deed) -> None:
    """Refuse what says too little, or what has no place in an activity of its kind."""
    said = {name for name in TELLING if getattr(deed, name) is not None}
    wrong = said ^ NEEDED[deed.kind]
    if deed.difficulty is not None and deed.kind is not ActivityKind.staff_visit:
        wrong.add("difficulty")
    if wrong:
        raise ActivityUnclear(" ".join(sorted(wrong)))
    if deed.amount is not None and deed.amount <= 0:
        raise NotAPositiveAmount


def _deed(command: _Told) -> Deed:
    told = {field.name: getattr(command, field.name) for field in fields(Deed)}
    if command.amount is not None:
        told["amount"] = command.amount.quantize(Decimal("0.01"))
    return Deed(**{**told, "slogans": tuple(dict.fromkeys(command.slogans))})


def _raised(command: RaiseProblemFromActivity) -> ActivityProblemRaised:
    names = ActivityProblemRaised.model_fields
    return ActivityProblemRaised(**{name: getattr(command, name) for name in names})


def _clear(command: RaiseProblemFromActivity, directory: Directory) -> None:
    """Refuse what rectification would refuse to open an issue of."""
    if (command.addressee is Addressee.member) != (command.person is not None):
        raise AddresseeUnclear
    if bool(command.winds) == command.not_four_winds:
        raise WindsUnclear
    if command.person:
        must_be_here(directory.day(command.at), directory, command.person)


# -- Evolving ------------------------------------------------------------------------------------


def evolve(activity: Activity, event: ActivityEvent) -> Activity:
    """What happened, happened: no rules here."""
    match event:
        case ActivityRecorded(recorded_by=recorder):
            return Recorded(_written(event), recorder)
        case ActivityVoided(reason=reason):
            return Voided(reason)
        case _:
            return _changed(activity, event) if isinstance(activity, Recorded) else activity


type Change = ActivityCorrected | DifficultySolved | DifficultyReopened | ActivityProblemRaised


def _changed(activity: Recorded, event: Change) -> Recorded:
    match event:
        case ActivityCorrected():
            return replace(activity, deed=_written(event))
        case DifficultySolved(on=day, how=how):
            return replace(activity, solution=Solution(day, how))
        case DifficultyReopened(reason=reason):
            return replace(activity, solution=None, reopened_for=reason)
        case ActivityProblemRaised():
            return replace(activity, problems=(*activity.problems, event))
        case _:
            assert_never(event)


def _written(event: ActivityRecorded | ActivityCorrected) -> Deed:
    return Deed(**{field.name: getattr(event, field.name) for field in fields(Deed)})


decider: Decider[ActivityCommand, ActivityEvent, Activity, Directory] = Decider(
    "activity", Unrecorded(), decide, evolve, ActivityCommand, ActivityEvent, Activity
)
