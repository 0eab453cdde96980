"""What study records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.feedback.events import Problem
from shared.decider import Event, PersonId
from shared.marks import Text


class SessionKind(StrEnum):
    """The plan's ways of studying together, a closed list (R11, R12)."""

    collective_study = "collective_study"
    expert_lecture = "expert_lecture"
    discipline_education_month = "discipline_education_month"
    branch_study = "branch_study"
    reading_exchange = "reading_exchange"
    warning_education_film = "warning_education_film"
    anti_corruption_base = "anti_corruption_base"
    party_education_base = "party_education_base"


class Organiser(StrEnum):
    """Whose session it is: the school's, or the education work committee's (R11)."""

    school = "school"
    education_work_committee = "education_work_committee"


class Slogan(StrEnum):
    """五领先, 五带头, 五比 (R29): tags, never figures."""

    five_in_the_lead = "five_in_the_lead"
    five_by_example = "five_by_example"
    five_compared = "five_compared"


class Aspect(StrEnum):
    """Where everybody looks for what they lack (R13): 宗旨意识, 工作作风, 精神状态, 为民办事, 廉洁自律."""

    purpose = "purpose"
    style = "style"
    spirit = "spirit"
    service = "service"
    integrity = "integrity"


class Rating(StrEnum):
    """What a reader says of a reflection: 好, 一般, 差 (R15)."""

    good = "good"
    average = "average"
    poor = "poor"


class Phase(StrEnum):
    """When somebody rates themselves: before the study, or after it (R30)."""

    before = "before"
    after = "after"


class ActivityKind(StrEnum):
    """The leaders' six ones (R16, R17, R19-R21; R18 is a tie), then the members' (R23-R28)."""

    donation = "donation"
    pairing_support = "pairing_support"
    staff_visit = "staff_visit"
    lesson_observation = "lesson_observation"
    canteen_meal = "canteen_meal"
    dormitory_visit = "dormitory_visit"
    monograph_study = "monograph_study"
    research_activity = "research_activity"
    research_topic = "research_topic"
    open_class = "open_class"
    research_article = "research_article"
    named_tutoring = "named_tutoring"


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


class Scores(_Part):
    """How somebody rates themselves on the plan's five dimensions (R30), 1 to 5 each."""

    mass_line_theory: int
    mass_line_history: int
    public_concerns: int
    own_detachment: int
    working_methods: int


# -- session ---------------------------------------------------------------------------------------


class StudySessionRecorded(Event):
    TYPE = "study.session.recorded.v1"
    kind: SessionKind
    held_on: date
    place: Text
    theme: Text
    organiser: Organiser
    branch: str | None = None
    lecturer: Text | None = None
    items: tuple[str, ...] = ()
    slogans: tuple[Slogan, ...] = ()
    recorded_by: PersonId


class StudySessionCorrected(Event):
    TYPE = "study.session.corrected.v1"
    kind: SessionKind
    held_on: date
    place: Text
    theme: Text
    organiser: Organiser
    branch: str | None = None
    lecturer: Text | None = None
    items: tuple[str, ...] = ()
    slogans: tuple[Slogan, ...] = ()
    reason: Text


class StudyAttendanceRecorded(Event):
    TYPE = "study.session.attendance-recorded.v1"
    present: tuple[PersonId, ...]
    excused: tuple[PersonId, ...] = ()


class StudySessionVoided(Event):
    TYPE = "study.session.voided.v1"
    ends = True
    reason: Text


# -- catalogue -------------------------------------------------------------------------------------


class CatalogueItemAdded(Event):
    TYPE = "study.catalogue.item-added.v1"
    title: Text
    origin: Text
    required: bool
    since: date
    added_by: PersonId


class CatalogueItemRevised(Event):
    TYPE = "study.catalogue.item-revised.v1"
    edition: int
    title: Text
    origin: Text
    required: bool
    reason: Text


class CatalogueItemCorrected(Event):
    TYPE = "study.catalogue.item-corrected.v1"
    title: Text
    origin: Text
    required: bool
    since: date
    withdrawn_on: date | None = None
    reason: Text


class CatalogueItemWithdrawn(Event):
    TYPE = "study.catalogue.item-withdrawn.v1"
    on: date
    reason: Text


class CatalogueItemVoided(Event):
    TYPE = "study.catalogue.item-voided.v1"
    ends = True
    reason: Text


# -- reading: one person, one item ----------------------------------------------------------------


class ReadingRecorded(Event):
    TYPE = "study.reading.recorded.v1"
    person: PersonId
    item: str
    edition: int
    on: date
    recorded_by: PersonId


class ReadingCorrected(Event):
    TYPE = "study.reading.corrected.v1"
    edition: int
    on: date
    reason: Text


class ReadingVoided(Event):
    TYPE = "study.reading.voided.v1"
    reason: Text


# -- reflection ------------------------------------------------------------------------------------


class ReflectionSubmitted(Event):
    TYPE = "study.reflection.submitted.v1"
    author: PersonId
    title: Text
    text: Text
    length: int | None = None
    written_on: date
    recorded_by: PersonId


class ReflectionCorrected(Event):
    TYPE = "study.reflection.corrected.v1"
    title: Text
    text: Text
    length: int | None = None
    written_on: date
    reason: Text


class ReflectionRated(Event):
    TYPE = "study.reflection.rated.v1"
    reader: PersonId
    rating: Rating
    comment: Text


class ReflectionVoided(Event):
    TYPE = "study.reflection.voided.v1"
    ends = True
    reason: Text


# -- gap: one person, one aspect, one campaign ----------------------------------------------------


class GapRecorded(Event):
    TYPE = "study.gap.recorded.v1"
    campaign: str
    person: PersonId
    aspect: Aspect
    text: Text
    found_on: date
    recorded_by: PersonId


class GapCorrected(Event):
    TYPE = "study.gap.corrected.v1"
    text: Text
    found_on: date
    reason: Text


class GapVoided(Event):
    TYPE = "study.gap.voided.v1"
    reason: Text


# -- self-rating: one person, one phase, one campaign ---------------------------------------------


class SelfRatingRecorded(Event):
    TYPE = "study.self-rating.recorded.v1"
    campaign: str
    person: PersonId
    phase: Phase
    scores: Scores


class SelfRatingCorrected(Event):
    TYPE = "study.self-rating.corrected.v1"
    scores: Scores
    reason: Text


class SelfRatingVoided(Event):
    TYPE = "study.self-rating.voided.v1"
    reason: Text


# -- activity --------------------------------------------------------------------------------------


class ActivityRecorded(Event):
    """`amount` is in yuan; a `pupil` is a pseudonym; `visited` the colleague of a staff visit."""

    TYPE = "study.activity.recorded.v1"
    kind: ActivityKind
    person: PersonId
    on: date
    title: Text | None = None
    pupil: str | None = None
    amount: Decimal | None = None
    visited: PersonId | None = None
    difficulty: Text | None = None
    remarks: Text | None = None
    slogans: tuple[Slogan, ...] = ()
    recorded_by: PersonId


class ActivityCorrected(Event):
    TYPE = "study.activity.corrected.v1"
    kind: ActivityKind
    person: PersonId
    on: date
    title: Text | None = None
    pupil: str | None = None
    amount: Decimal | None = None
    visited: PersonId | None = None
    difficulty: Text | None = None
    remarks: Text | None = None
    slogans: tuple[Slogan, ...] = ()
    reason: Text


class DifficultySolved(Event):
    TYPE = "study.activity.difficulty-solved.v1"
    on: date
    how: Text


class DifficultyReopened(Event):
    TYPE = "study.activity.difficulty-reopened.v1"
    reason: Text


class ActivityProblemRaised(Problem, Event):
    """A problem a visit showed, as rectification opens an issue of it; `key` is its name within the visit."""

    TYPE = "study.activity.problem-raised.v1"


class ActivityVoided(Event):
    """`problems` are the keys of those it had raised; what became of them is told of it."""

    TYPE = "study.activity.voided.v1"
    ends = True
    reason: Text
    problems: tuple[str, ...] = ()


# -- tie: one member's contact units ---------------------------------------------------------------


class TieOpened(Event):
    """`number` counts the ties of this member from 1; it stays a tie's name whatever is corrected."""

    TYPE = "study.tie.opened.v1"
    number: int
    person: PersonId
    unit: str
    since: date
    until: date | None = None
    recorded_by: PersonId


class TieEnded(Event):
    TYPE = "study.tie.ended.v1"
    number: int
    until: date


class TieCorrected(Event):
    TYPE = "study.tie.corrected.v1"
    number: int
    unit: str
    since: date
    until: date | None = None
    reason: Text


class TieVoided(Event):
    TYPE = "study.tie.voided.v1"
    number: int
    reason: Text


type SessionEvent = (
    StudySessionRecorded | StudySessionCorrected | StudyAttendanceRecorded | StudySessionVoided
)
type CatalogueEvent = (
    CatalogueItemAdded
    | CatalogueItemRevised
    | CatalogueItemCorrected
    | CatalogueItemWithdrawn
    | CatalogueItemVoided
)
type ReadingEvent = ReadingRecorded | ReadingCorrected | ReadingVoided
type ReflectionEvent = (
    ReflectionSubmitted | ReflectionCorrected | ReflectionRated | ReflectionVoided
)
type GapEvent = GapRecorded | GapCorrected | GapVoided
type SelfRatingEvent = SelfRatingRecorded | SelfRatingCorrected | SelfRatingVoided
type ActivityEvent = (
    ActivityRecorded
    | ActivityCorrected
    | DifficultySolved
    | DifficultyReopened
    | ActivityProblemRaised
    | ActivityVoided
)
type TieEvent = TieOpened | TieEnded | TieCorrected | TieVoided
