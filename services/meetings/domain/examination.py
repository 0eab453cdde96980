"""The life of a self-examination: written by whom it is about, submitted, adopted, reviewed (R59-R65)."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.calendar import FARTHEST
from services.campaign.directory import Directory
from services.campaign.events import Role
from services.meetings.events import (
    Aspect,
    Cause,
    ExaminationAdopted,
    ExaminationAdoptionCorrected,
    ExaminationConsultationCorrected,
    ExaminationConsulted,
    ExaminationCorrected,
    ExaminationDrafted,
    ExaminationEvent,
    ExaminationGate,
    ExaminationGateRestored,
    ExaminationGateWaived,
    ExaminationReviewed,
    ExaminationRevised,
    ExaminationSentBack,
    ExaminationSubject,
    ExaminationSubmitted,
    ExaminationVoided,
    ImprovementMeasure,
    Paper,
    SectionLengths,
)
from shared.decider import Command, Decider, Instant, OutOfOrder, PersonId, Rejected
from shared.marks import Id, Length, Occurred, Prose

PEOPLE = frozenset({"person"})
SUPERVISORS = frozenset({Role.supervisor})
LEADERS = frozenset({Role.principal_leader, Role.supervisor})
SECTIONS = ("basic_situation", "manifestations", "cause_analysis", "improvement_measures")
"""The four parts of a self-examination, in the plan's order (R60)."""

# -- Facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a decision on a self-examination looks at beside it.

    `unclaimed` are the issues addressed to its author that nobody holds (R33); `to_answer` those the
    author holds, for the team the team's that somebody holds (R63); `issues` those the command names
    that count. `held` says whether the meeting the command names is a leadership meeting that was
    held.
    """

    directory: Directory
    unclaimed: frozenset[str] = frozenset()
    to_answer: frozenset[str] = frozenset()
    issues: frozenset[str] = frozenset()
    held: bool = False

    @property
    def adopts_members(self) -> bool:
        """How the school reads R65 「班子成员的对照检查材料」: each member's paper, or the team's only."""
        return self.directory.policy.setting("adopted_papers").value == "members"

    def roles(self, person: PersonId, at: datetime) -> frozenset[Role]:
        """Somebody's roles on the day of an instant."""
        return self.directory.roster.roles(person, self.directory.day(at))


# -- Commands ------------------------------------------------------------------------------------


class CauseAsked(Cause):
    """A cause as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Prose
    aspects: Annotated[tuple[Aspect, ...], Field(max_length=4)] = ()


class ImprovementAsked(ImprovementMeasure):
    """A measure as a sender gives it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    key: Id
    text: Prose
    issues: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    owner: Id | None = None  # type: ignore[assignment]  # a person's id, its form checked
    deliverable: Prose | None = None


class PaperCommand(Command):
    """A command that says the whole of a paper: what is left out is not in it."""

    basic_situation: Prose | None = None
    manifestations: Prose | None = None
    cause_analysis: Prose | None = None
    improvement_measures: Prose | None = None
    basic_situation_length: Annotated[int | None, Length(of="basic_situation")] = None
    manifestations_length: Annotated[int | None, Length(of="manifestations")] = None
    cause_analysis_length: Annotated[int | None, Length(of="cause_analysis")] = None
    improvement_measures_length: Annotated[int | None, Length(of="improvement_measures")] = None
    causes: Annotated[tuple[CauseAsked, ...], Field(max_length=20)] = ()
    measures: Annotated[tuple[ImprovementAsked, ...], Field(max_length=30)] = ()
    answers: Annotated[tuple[Id, ...], Field(max_length=500)] = ()

    @property
    def issues(self) -> frozenset[str]:
        """Every issue it names."""
        return frozenset(self.answers).union(*(measure.issues for measure in self.measures))


class DraftExamination(PaperCommand):
    """Begin one's own self-examination, or the team's; there is one per campaign and subject.

    A paper that the leadership meeting is to adopt is drafted under a principal leader (R65): whoever
    begins it, unless another one is named.
    """

    zh = "起草对照检查材料"
    allowed = PEOPLE
    creates = True
    campaign: Id
    subject: ExaminationSubject
    person: Id | None = None
    presided_by: Id | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None

    def unique(self) -> tuple[str, ...]:
        """One per campaign and subject."""
        return ("examination", self.campaign, self.subject, self.person or "")


class ReviseExamination(PaperCommand):
    """Write it anew while it is a draft."""

    zh = "修改对照检查材料"
    allowed = PEOPLE


class SubmitExamination(Command):
    """Hand it in: four sections (R60), claimed issues (R33); what it leaves unanswered is listed (R63)."""

    zh = "提交对照检查材料"
    allowed = PEOPLE
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectExamination(PaperCommand):
    """Put right what was entered wrong, before anybody has decided on it."""

    zh = "更正对照检查材料"
    allowed = PEOPLE
    reason: Prose


class WaiveExaminationGate(Command):
    """Let this one be submitted although something is missing."""

    zh = "豁免对照检查材料提交条件"
    allowed = SUPERVISORS
    gate: ExaminationGate
    reason: Prose


class RestoreExaminationGate(Command):
    """Take a waiver back."""

    zh = "撤销豁免"
    allowed = SUPERVISORS
    gate: ExaminationGate
    reason: Prose


class AdoptExamination(Command):
    """Record that a leadership meeting adopted it (审议通过, R65)."""

    zh = "审议通过对照检查材料"
    allowed = frozenset({Role.principal_leader})
    meeting: Id
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectExaminationAdoption(Command):
    """Put right which meeting adopted it."""

    zh = "更正审议会议"
    allowed = LEADERS
    meeting: Id
    reason: Prose


class ConsultOnExamination(Command):
    """Record in which scope opinions on it were asked for, and how many came (R65)."""

    zh = "征求对对照检查材料的意见"
    allowed = frozenset({Role.principal_leader, Role.team_member})
    scope: Prose
    replies: Annotated[int, Field(ge=0, le=100_000)]
    solicitation: Id | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None


class CorrectExaminationConsultation(Command):
    """Put right what was recorded of the consultation."""

    zh = "更正征求意见情况"
    allowed = LEADERS
    scope: Prose
    replies: Annotated[int, Field(ge=0, le=100_000)]
    solicitation: Id | None = None
    reason: Prose


class ReviewExamination(Command):
    """Find it good enough for the meeting."""

    zh = "审核通过对照检查材料"
    allowed = SUPERVISORS
    remarks: Prose | None = None
    occurred_at: Annotated[Instant | None, Occurred()] = None


class SendBackExamination(Command):
    """Have it rewritten by a day: not concrete, not answering, missing the main problems."""

    zh = "退回对照检查材料重写"
    allowed = SUPERVISORS
    remarks: Prose
    rewrite_by: date
    occurred_at: Annotated[Instant | None, Occurred()] = None


class VoidExamination(Command):
    """Declare that it should never have been; another may be drafted in its place."""

    zh = "作废对照检查材料"
    allowed = LEADERS
    reason: Prose


type ExaminationCommand = (
    DraftExamination
    | ReviseExamination
    | SubmitExamination
    | CorrectExamination
    | WaiveExaminationGate
    | RestoreExaminationGate
    | AdoptExamination
    | CorrectExaminationAdoption
    | ConsultOnExamination
    | CorrectExaminationConsultation
    | ReviewExamination
    | SendBackExamination
    | VoidExamination
)


# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiver:
    """A gate the supervision group waived, and why."""

    gate: ExaminationGate
    reason: str


@dataclass(frozen=True)
class SentBack:
    """To be rewritten by a day."""

    remarks: str
    rewrite_by: date


@dataclass(frozen=True)
class Frame:
    """Whose it is, who presides over it, and what the supervision group said of it so far.

    `adopted_before` are the meetings that adopted what was then sent back.
    """

    campaign: str
    subject: ExaminationSubject
    person: PersonId | None
    presided_by: PersonId | None
    to_be_adopted: bool
    waivers: tuple[Waiver, ...] = ()
    sent_back: SentBack | None = None
    rounds: int = 0
    adopted_before: frozenset[str] = frozenset()

    @property
    def authors(self) -> frozenset[PersonId | None]:
        """Who may neither judge nor undo it."""
        return frozenset({self.person, self.presided_by})

    @property
    def waived(self) -> frozenset[ExaminationGate]:
        """The gates that do not count."""
        return frozenset(waiver.gate for waiver in self.waivers)


@dataclass(frozen=True)
class Consultation:
    """Who was asked, how many answered, by which solicitation."""

    scope: str
    replies: int
    solicitation: str | None


@dataclass(frozen=True)
class Undrafted:
    """Nothing is written."""


@dataclass(frozen=True)
class Drafted:
    """Being written, for the first time or anew."""

    frame: Frame
    paper: Paper


@dataclass(frozen=True)
class Submitted:
    """Handed in."""

    frame: Frame
    paper: Paper


@dataclass(frozen=True)
class Adopted:
    """Adopted by a leadership meeting, to be consulted on."""

    frame: Frame
    paper: Paper
    meeting: str


@dataclass(frozen=True)
class Consulted:
    """Adopted and consulted on."""

    frame: Frame
    paper: Paper
    meeting: str
    consultation: Consultation


@dataclass(frozen=True)
class Reviewed:
    """Found good by the supervision group."""

    frame: Frame
    paper: Paper
    remarks: str | None
    meeting: str | None = None
    consultation: Consultation | None = None


@dataclass(frozen=True)
class Voided:
    """Should never have been."""


type Examination = Undrafted | Drafted | Submitted | Adopted | Consulted | Reviewed | Voided


# -- Rules ---------------------------------------------------------------------------------------


class NoSuchCampaign(Rejected):
    """There is no such campaign."""

    zh = "没有这项活动"


class ExaminationExists(Rejected):
    """There is a self-examination of this subject already."""

    zh = "该对象已有对照检查材料"


class SubjectUnclear(Rejected):
    """A person's self-examination names that person, the team's names nobody."""

    zh = "个人材料须写明本人,班子材料不得指定个人"


class NotTheAuthor(Rejected):
    """Whoever it is about writes it with their own hand (R59)."""

    zh = "对照检查材料须由本人撰写,班子材料由班子成员撰写"


class NotUnderALeader(Rejected):
    """A paper for the leadership meeting is drafted under a principal leader (R65)."""

    zh = "该材料须由主要负责同志主持起草"


class NobodyThere(Rejected):
    """This person is not in the school."""

    zh = "该人员不在校"


class NoSuchIssue(Rejected):
    """There is no such issue that counts."""

    zh = "没有这个问题"


class SameKeyTwice(Rejected):
    """Each measure of a paper has a key of its own."""

    zh = "同一材料中措施编号不得重复"


class TooFarAway(Rejected):
    """This day is too far away."""

    zh = "日期相距过远"


class DueInThePast(Rejected):
    """A rewriting cannot be due before today."""

    zh = "重写期限不能早于今天"


class SectionsMissing(Rejected):
    """All four sections are written before it is submitted (R60)."""

    zh = "四个部分未写全,不能提交"


class IssuesUnclaimed(Rejected):
    """The issues addressed to its author are claimed before it is submitted (R33)."""

    zh = "尚有属于本人的问题未认领,不能提交"


class AlreadySubmitted(Rejected):
    """What was submitted is changed only by a correction or after it was sent back."""

    zh = "材料已提交,不能再修改"


class DecidedUpon(Rejected):
    """What others have decided on is not corrected; the supervision group may send it back."""

    zh = "材料已经审议或审核,不能更正,只能由督导组退回重写"


class AlreadyWaived(Rejected):
    """This was waived already, for another reason."""

    zh = "该条件已豁免"


class NotWaived(Rejected):
    """This was not waived."""

    zh = "该条件未被豁免"


class NeedsNoAdoption(Rejected):
    """This paper goes to no leadership meeting and no consultation."""

    zh = "该材料无须提交领导班子会审议和征求意见"


class NoSuchMeeting(Rejected):
    """No leadership meeting of that id was held."""

    zh = "没有召开过这次领导班子会"


class NotAdoptedYet(Rejected):
    """The leadership meeting has not adopted it yet (R65)."""

    zh = "材料尚未经领导班子会审议通过"


class NotConsultedYet(Rejected):
    """Nobody has been consulted on it yet (R65)."""

    zh = "材料尚未征求意见"


class AlreadyAdopted(Rejected):
    """Another meeting is recorded to have adopted it."""

    zh = "该材料已由另一次会议审议通过"


class AdoptedBeforeTheRewriting(Rejected):
    """That meeting adopted what was sent back; what is written anew is adopted anew (R65)."""

    zh = "该会议审议的是退回前的材料,重写后须再次审议"


class AlreadyConsulted(Rejected):
    """Another consultation is recorded."""

    zh = "已有征求意见记录"


class AlreadyReviewed(Rejected):
    """It was reviewed with other remarks."""

    zh = "该材料已审核"


class ExaminedByItsAuthor(Rejected):
    """Whoever wrote it or presided over it neither judges nor undoes it."""

    zh = "不得由材料的撰写人或主持人审核、豁免或作废"


# -- Deciding ------------------------------------------------------------------------------------


def decide(
    command: ExaminationCommand, examination: Examination, facts: Facts
) -> ExaminationEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    examination = facts.directory.roster.settled(examination)
    match command, examination:
        case DraftExamination(), Undrafted() | Voided():
            return _drafted(command, facts)
        case DraftExamination(), Drafted(frame, paper):
            event = _drafted(command, facts)
            if (_frame(event), event.paper) != (replace(frame, waivers=()), paper):
                raise ExaminationExists
            return None
        case DraftExamination(), _:
            raise ExaminationExists
        case ReviseExamination(), Drafted(frame, paper):
            _writes(command, frame, facts)
            written = _paper(command, facts)
            return None if written == paper else ExaminationRevised(paper=written)
        case ReviseExamination(), Submitted() | Adopted() | Consulted() | Reviewed():
            raise AlreadySubmitted

        case WaiveExaminationGate(gate=gate, reason=reason), Drafted(frame):
            _impartial(command.by, frame)
            if Waiver(gate, reason) in frame.waivers:
                return None
            if gate in frame.waived:
                raise AlreadyWaived
            return ExaminationGateWaived(gate=gate, reason=reason)
        case RestoreExaminationGate(gate=gate, reason=reason), Drafted(frame):
            _impartial(command.by, frame)
            if gate not in frame.waived:
                raise NotWaived
            return ExaminationGateRestored(gate=gate, reason=reason)

        case SubmitExamination(), Drafted(frame, paper):
            _writes(command, frame, facts)
            _sections_written(frame, paper)
            _issues_claimed(frame, facts)
            return ExaminationSubmitted(unanswered=unanswered(facts.to_answer, paper.answers))
        case SubmitExamination(), Submitted(frame):
            _writes(command, frame, facts)
            return None
        case CorrectExamination(reason=reason), Submitted(frame, paper):
            _writes(command, frame, facts)
            written = _paper(command, facts)
            if written == paper:
                return None
            _sections_written(frame, written)
            return ExaminationCorrected(paper=written, reason=reason)
        case CorrectExamination(), Adopted() | Consulted() | Reviewed():
            raise DecidedUpon

        case AdoptExamination(meeting=meeting), Submitted(Frame(to_be_adopted=True) as frame):
            _may_adopt(meeting, frame, facts)
            return ExaminationAdopted(meeting=meeting)
        case AdoptExamination() | ConsultOnExamination(), Submitted(Frame(to_be_adopted=False)):
            raise NeedsNoAdoption
        case (
            AdoptExamination(meeting=meeting),
            Adopted(meeting=before) | Consulted(meeting=before) | Reviewed(meeting=str() as before),
        ):
            if meeting != before:
                raise AlreadyAdopted
            return None
        case (
            CorrectExaminationAdoption(meeting=meeting, reason=reason),
            Adopted(frame, meeting=before)
            | Consulted(frame, meeting=before)
            | Reviewed(frame, meeting=str() as before),
        ):
            if meeting == before:
                return None
            _may_adopt(meeting, frame, facts)
            return ExaminationAdoptionCorrected(meeting=meeting, reason=reason)

        case ConsultOnExamination(), Submitted():
            raise NotAdoptedYet
        case ConsultOnExamination(), Adopted():
            return ExaminationConsulted(
                scope=command.scope, replies=command.replies, solicitation=command.solicitation
            )
        case (
            ConsultOnExamination(),
            Consulted(consultation=said) | Reviewed(consultation=Consultation() as said),
        ):
            if _consultation(command) != said:
                raise AlreadyConsulted
            return None
        case (
            CorrectExaminationConsultation(),
            Consulted(consultation=said) | Reviewed(consultation=Consultation() as said),
        ):
            if _consultation(command) == said:
                return None
            return ExaminationConsultationCorrected(
                scope=command.scope,
                replies=command.replies,
                solicitation=command.solicitation,
                reason=command.reason,
            )

        case ReviewExamination(), Adopted():
            raise NotConsultedYet
        case ReviewExamination(), Submitted(Frame(to_be_adopted=True)):
            raise NotAdoptedYet
        case ReviewExamination(remarks=remarks), Submitted(frame) | Consulted(frame):
            _impartial(command.by, frame)
            return ExaminationReviewed(remarks=remarks)
        case ReviewExamination(remarks=remarks), Reviewed(remarks=found):
            if remarks != found:
                raise AlreadyReviewed
            return None
        case (
            SendBackExamination(remarks=remarks, rewrite_by=day),
            Submitted(frame) | Adopted(frame) | Consulted(frame) | Reviewed(frame),
        ):
            _impartial(command.by, frame)
            if day < facts.directory.day(command.occurred_at or command.at):
                raise DueInThePast
            _near(day, facts, command.at)
            return ExaminationSentBack(remarks=remarks, rewrite_by=day, rounds=frame.rounds + 1)
        case SendBackExamination(remarks=remarks, rewrite_by=day), Drafted(frame):
            if SentBack(remarks, day) != frame.sent_back:
                raise OutOfOrder
            return None

        case (
            VoidExamination(reason=reason),
            Drafted(frame) | Submitted(frame) | Adopted(frame) | Consulted(frame) | Reviewed(frame),
        ):
            _impartial(command.by, frame)
            return ExaminationVoided(reason=reason)

        case _:
            raise OutOfOrder


def unanswered(to_answer: frozenset[str], answers: tuple[str, ...]) -> tuple[str, ...]:
    """The claimed issues a paper does not refer to (R63), in a fixed order."""
    return tuple(sorted(to_answer.difference(answers)))


def _drafted(command: DraftExamination, facts: Facts) -> ExaminationDrafted:
    """A paper under the right name: a person's by that person, what is adopted under a leader."""
    moment = command.occurred_at or command.at
    roles = facts.roles(command.by, moment)
    own = command.subject is ExaminationSubject.person
    if command.campaign not in facts.directory.campaigns:
        raise NoSuchCampaign(command.campaign)
    if own != bool(command.person):
        raise SubjectUnclear
    if own and command.by != command.person:
        raise NotTheAuthor
    if not own and not roles & {Role.principal_leader, Role.team_member}:
        raise NotTheAuthor
    to_be_adopted = not own or (facts.adopts_members and Role.team_member in roles)
    presided_by = command.presided_by or (command.by if to_be_adopted else None)
    if presided_by and Role.principal_leader not in facts.roles(PersonId(presided_by), moment):
        raise NotUnderALeader
    return ExaminationDrafted(
        campaign=command.campaign,
        subject=command.subject,
        person=command.by if own else None,
        presided_by=PersonId(presided_by) if presided_by else None,
        to_be_adopted=to_be_adopted,
        paper=_paper(command, facts),
    )


def _paper(command: PaperCommand, facts: Facts) -> Paper:
    """What a command says, as it is recorded; whoever it names is here, whatever it answers exists."""
    if unknown := command.issues - facts.issues:
        raise NoSuchIssue(" ".join(sorted(unknown)))
    keys = [measure.key for measure in command.measures]
    if len(set(keys)) < len(keys):
        raise SameKeyTwice
    for measure in command.measures:
        if measure.owner:
            day = facts.directory.day(command.at)
            if not facts.directory.roster.present(PersonId(measure.owner), day):
                raise NobodyThere(measure.owner)
        if measure.due_on:
            _near(measure.due_on, facts, command.at)
    lengths = {name: getattr(command, f"{name}_length") or 0 for name in SECTIONS}
    return Paper(
        **{name: getattr(command, name) for name in SECTIONS},
        lengths=SectionLengths(**lengths),
        causes=tuple(Cause(text=c.text, aspects=c.aspects) for c in command.causes),
        measures=tuple(
            ImprovementMeasure(
                key=m.key,
                text=m.text,
                issues=m.issues,
                owner=PersonId(m.owner) if m.owner else None,
                due_on=m.due_on,
                deliverable=m.deliverable,
            )
            for m in command.measures
        ),
        answers=tuple(dict.fromkeys(command.answers)),
    )


def _sections_written(frame: Frame, paper: Paper) -> None:
    """R60, unless the supervision group waived it."""
    missing = [name for name in SECTIONS if getattr(paper, name) is None]
    if missing and ExaminationGate.four_sections not in frame.waived:
        raise SectionsMissing(" ".join(missing))


def _issues_claimed(frame: Frame, facts: Facts) -> None:
    """R33, unless the supervision group waived it."""
    if facts.unclaimed and ExaminationGate.issues_claimed not in frame.waived:
        raise IssuesUnclaimed(" ".join(sorted(facts.unclaimed)))


def _writes(command: PaperCommand | SubmitExamination, frame: Frame, facts: Facts) -> None:
    """Whoever it is about; for the team, a leader or member of it."""
    if frame.person:
        if command.by != frame.person:
            raise NotTheAuthor
    elif not facts.roles(command.by, command.at) & {Role.principal_leader, Role.team_member}:
        raise NotTheAuthor


def _impartial(person: PersonId, frame: Frame) -> None:
    if person in frame.authors:
        raise ExaminedByItsAuthor


def _may_adopt(meeting: str, frame: Frame, facts: Facts) -> None:
    """A leadership meeting that was held, and not for an earlier wording."""
    if not facts.held:
        raise NoSuchMeeting(meeting)
    if meeting in frame.adopted_before:
        raise AdoptedBeforeTheRewriting(meeting)


def _near(day: date, facts: Facts, at: datetime) -> None:
    if abs(day - facts.directory.day(at)) > timedelta(days=FARTHEST):
        raise TooFarAway


# -- Evolving ------------------------------------------------------------------------------------


def evolve(examination: Examination, event: ExaminationEvent) -> Examination:
    """What happened, happened: no rules here."""
    match event:
        case ExaminationDrafted(paper=paper):
            return Drafted(_frame(event), paper)
        case ExaminationRevised(paper=paper) | ExaminationCorrected(paper=paper):
            return _with(examination, paper=paper)
        case ExaminationGateWaived(gate=gate, reason=reason):
            frame = _frame_of(examination)
            return _with(
                examination, frame=replace(frame, waivers=(*frame.waivers, Waiver(gate, reason)))
            )
        case ExaminationGateRestored(gate=gate):
            frame = _frame_of(examination)
            left = tuple(waiver for waiver in frame.waivers if waiver.gate is not gate)
            return _with(examination, frame=replace(frame, waivers=left))
        case ExaminationSubmitted():
            return Submitted(_frame_of(examination), _paper_of(examination))
        case ExaminationAdopted(meeting=meeting):
            return Adopted(_frame_of(examination), _paper_of(examination), meeting)
        case ExaminationAdoptionCorrected(meeting=meeting):
            return _with(examination, meeting=meeting)
        case ExaminationConsulted():
            return Consulted(
                _frame_of(examination),
                _paper_of(examination),
                _meeting_of(examination),
                _consultation(event),
            )
        case ExaminationConsultationCorrected():
            return _with(examination, consultation=_consultation(event))
        case ExaminationReviewed(remarks=remarks):
            return Reviewed(
                _frame_of(examination),
                _paper_of(examination),
                remarks,
                getattr(examination, "meeting", None),
                getattr(examination, "consultation", None),
            )
        case ExaminationSentBack(remarks=remarks, rewrite_by=day, rounds=rounds):
            frame, former = _frame_of(examination), getattr(examination, "meeting", None)
            frame = replace(
                frame,
                sent_back=SentBack(remarks, day),
                rounds=rounds,
                adopted_before=frame.adopted_before | ({former} if former else set()),
            )
            return Drafted(frame, _paper_of(examination))
        case ExaminationVoided():
            return Voided()
        case _:
            assert_never(event)


def _frame(event: ExaminationDrafted) -> Frame:
    return Frame(
        event.campaign, event.subject, event.person, event.presided_by, event.to_be_adopted
    )


def _consultation(
    said: ConsultOnExamination
    | CorrectExaminationConsultation
    | ExaminationConsulted
    | ExaminationConsultationCorrected,
) -> Consultation:
    return Consultation(said.scope, said.replies, said.solicitation)


def _with(examination: Examination, **changes: object) -> Examination:
    return replace(examination, **changes)  # type: ignore[arg-type]  # only where the state has them


def _frame_of(examination: Examination) -> Frame:
    return examination.frame  # type: ignore[union-attr]  # every event but the first finds one


def _paper_of(examination: Examination) -> Paper:
    return examination.paper  # type: ignore[union-attr]  # as above


def _meeting_of(examination: Examination) -> str:
    return examination.meeting  # type: ignore[union-attr, return-value]  # only adopted ones get here


decider: Decider[ExaminationCommand, ExaminationEvent, Examination, Facts] = Decider(
    "examination", Undrafted(), decide, evolve, ExaminationCommand, ExaminationEvent, Examination
)
