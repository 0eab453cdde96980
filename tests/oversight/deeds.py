"""Short ways to say what happened; every text is an ellipsis."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from services.campaign.calendar import Deadline, end_of_day
from services.campaign.events import InspectionKind, InspectionRecorded
from services.feedback.events import (
    Addressee,
    Channel,
    CollatedOpinion,
    CollationClosed,
    CollationOpened,
    Discovery,
    InNameOf,
    OpinionAcknowledged,
    OpinionPart,
    OpinionSubmitted,
    ProposedIssue,
    ReportCompiled,
    SolicitationClosed,
    SolicitationOpened,
    SolicitationSubject,
    Wind,
)
from services.meetings.events import (
    AppraisalOpened,
    Aspect,
    Attendance,
    AttendanceRecorded,
    Attendee,
    Cause,
    ExaminationDrafted,
    ExaminationSubject,
    ExaminationSubmitted,
    Grade,
    ImprovementMeasure,
    MeetingHeld,
    MeetingKind,
    MeetingPlanned,
    Paper,
    SectionLengths,
    SpeechAct,
    SpeechRecorded,
)
from services.rectification.events import (
    Evidence,
    EvidenceAdded,
    IssueClaimed,
    IssueOpened,
    IssueStruckOff,
    IssueVerified,
    Measure,
    MeasuresPlanned,
    Mode,
    PlanLine,
    PlanLineSet,
    RectificationPlanDrafted,
    RectificationStarted,
    Satisfied,
    Solved,
    Source,
    SourceKind,
    StrikeOffRequested,
    VerdictRecorded,
    Watch,
)
from services.study.events import (
    ActivityKind,
    ActivityRecorded,
    Organiser,
    ReflectionSubmitted,
    SessionKind,
    StudySessionRecorded,
)
from services.talks.events import Communicated, Side, TalkHeld, TalkKind
from shared.decider import PersonId
from tests.oversight.town import (
    ADMIN,
    APRIL,
    ARTS,
    CAMPAIGN,
    LEADER,
    MARCH,
    MAY,
    PARENT,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    WU,
    ZHOU,
    Entry,
)

TEXT = "…"


def at(day: date, hour: int = 2) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def deadline(on: date) -> Deadline:
    return Deadline(at=end_of_day(on, "Asia/Shanghai"), on=on)


def watch(on: date) -> Watch:
    due = deadline(on)
    later = [due.at + timedelta(days=n) for n in (1, 2, 3)]
    return Watch(
        due=due, remind_at=(), urge_at=later[0], supervise_at=later[1], account_at=later[2]
    )


# -- Feedback --------------------------------------------------------------------------------------


def solicited(stream: str, *, by: PersonId | None = None, on: date = MARCH) -> Entry:
    """The organisation asks, or somebody in their own name."""
    event = SolicitationOpened(
        in_name_of=InNameOf.individual if by else InNameOf.organisation,
        issuer=by or LEADER,
        campaign=CAMPAIGN,
        subject=SolicitationSubject.four_winds,
        scope=TEXT,
        channels=(Channel.symposium,),
        opens_on=on,
        closes_on=on + timedelta(days=14),
    )
    return Entry(stream, event, on)


def over(stream: str, on: date = APRIL) -> Entry:
    return Entry(stream, SolicitationClosed(on=on), on)


def spoken(stream: str, solicitation: str | None = None) -> Entry:
    event = OpinionSubmitted(
        verbatim_text=TEXT,
        salt=TEXT,
        verbatim_sha256="a" * 64,
        length=1,
        channel=Channel.wechat,
        solicitation=solicitation,
    )
    return Entry(stream, event)


def acknowledged(stream: str, on: date = MARCH) -> Entry:
    return Entry(stream, OpinionAcknowledged(), on)


def proposed(key: str, *opinions: str) -> ProposedIssue:
    return ProposedIssue(
        key=key,
        title=TEXT,
        parts=tuple(OpinionPart(opinion=o) for o in opinions),
        addressee=Addressee.team,
        person=None,
        winds=(Wind.formalism,),
        not_four_winds=False,
        topics=(),
        discovery=Discovery.raised_by_public,
        key_issue=False,
        strongly_reflected=False,
    )


def collated(stream: str, *opinions: str, into: tuple[ProposedIssue, ...] = ()) -> list[Entry]:
    heard = tuple(CollatedOpinion(opinion=o, length=1) for o in opinions)
    return [
        Entry(stream, CollationOpened(opinions=heard, collator=ADMIN)),
        Entry(stream, CollationClosed(issues=into)),
    ]


def reported(stream: str, solicitation: str, *opinions: str) -> Entry:
    event = ReportCompiled(
        solicitation=solicitation,
        opinions=opinions,
        heard=(),
        responsibility=TEXT,
        thinking=TEXT,
        measures=TEXT,
        compiled_at=1,
        compiler=ADMIN,
    )
    return Entry(stream, event, APRIL)


# -- Rectification ---------------------------------------------------------------------------------


def opened(
    stream: str,
    *,
    member: PersonId | None = None,
    strongly: bool = False,
    discovery: Discovery = Discovery.raised_by_public,
    opinions: tuple[str, ...] = (),
    source: str = "c1",
    kind: SourceKind = SourceKind.collation,
    winds: tuple[Wind, ...] = (Wind.formalism,),
    on: date = MARCH,
) -> Entry:
    event = IssueOpened(
        title=TEXT,
        addressee=Addressee.member if member else Addressee.team,
        person=member,
        winds=winds,
        discovery=discovery,
        strongly_reflected=strongly,
        sources=(Source(kind=kind, id=source, opinions=opinions),),
        raised_by=ADMIN,
        watch=watch(MARCH + timedelta(days=3)),
    )
    return Entry(stream, event, on)


def claimed(stream: str, owner: PersonId = ZHOU) -> Entry:
    return Entry(stream, IssueClaimed(owner=owner, watch=watch(APRIL)), by=owner)


def planned(
    stream: str, *, owner: PersonId = ZHOU, due: date = MAY, helpers: tuple[PersonId, ...] = ()
) -> Entry:
    measure = Measure(
        text=TEXT, owner=owner, helpers=helpers, begins_on=MARCH, due_on=due, deliverable=TEXT
    )
    event = MeasuresPlanned(
        mode=Mode.time_limited,
        measures=(measure,),
        reviewer=SUPERVISOR,
        accountable_leader=LEADER,
        watch=watch(due),
    )
    return Entry(stream, event, by=owner)


def started(stream: str) -> Entry:
    return Entry(stream, RectificationStarted(), by=ZHOU)


def shown(stream: str, sha: str = "e" * 64, *, on: date = APRIL, after: bool = True) -> Entry:
    file = Evidence(
        sha256=sha, phase="after" if after else "before", media_type="image/png", name=TEXT
    )
    return Entry(stream, EvidenceAdded(evidence=file), on, ZHOU)


def asked_off(
    stream: str, sha: str = "e" * 64, *, statement: str = TEXT, on: date = APRIL
) -> Entry:
    event = StrikeOffRequested(statement=statement, evidence=(sha,))
    return Entry(stream, event, on, ZHOU)


def verified(stream: str, by: PersonId = SUPERVISOR, on: date = APRIL) -> Entry:
    return Entry(stream, IssueVerified(verifier=by, finding=TEXT), on, by)


def struck_off(
    stream: str, *, on: date = APRIL, by: PersonId = LEADER, minute: int | None = None
) -> Entry:
    event = IssueStruckOff(verifier=SUPERVISOR, verdicts_until=deadline(MAY))
    return Entry(stream, event, on, by, minute)


def judged(
    stream: str,
    who: PersonId = PARENT,
    *,
    solved: Solved = Solved.solved,
    satisfied: Satisfied = Satisfied.satisfied,
    on: date = APRIL,
) -> Entry:
    return Entry(
        stream, VerdictRecorded(originator=who, solved=solved, satisfied=satisfied), on, who
    )


def closed(
    stream: str,
    *,
    sha: str = "e" * 64,
    opinions: tuple[str, ...] = (),
    verifier: PersonId = SUPERVISOR,
    helpers: tuple[PersonId, ...] = (),
    minute: int | None = None,
    on: date = APRIL,
) -> list[Entry]:
    """An issue from its opening to its strike-off, as it should go."""
    return [
        opened(stream, opinions=opinions),
        claimed(stream),
        planned(stream, helpers=helpers),
        started(stream),
        shown(stream, sha, on=on),
        asked_off(stream, sha, on=on),
        verified(stream, verifier, on=on),
        struck_off(stream, minute=minute, on=on),
    ]


def plan(stream: str, *issues: str, key_problem: bool = False) -> list[Entry]:
    drafted = RectificationPlanDrafted(campaign=CAMPAIGN, title=TEXT, drafted_by=LEADER)
    lines = (
        PlanLine(
            issue=i,
            task=TEXT,
            owner=ZHOU,
            division=(WU,),
            begins_on=MARCH,
            due_on=MAY,
            key_problem=key_problem,
        )
        for i in issues
    )
    return [Entry(stream, drafted), *(Entry(stream, PlanLineSet(line=line)) for line in lines)]


# -- Talks -----------------------------------------------------------------------------------------


def side(party: PersonId, **said: Any) -> Side:
    whole = {
        "asked_about_me": True,
        "opinion_about_me": TEXT,
        "strengths": TEXT,
        "shortcomings": TEXT,
        "own_problems": TEXT,
    }
    return Side(party=party, **{**whole, **said})


def talked(
    stream: str,
    *parties: PersonId,
    kind: TalkKind = TalkKind.one_by_one,
    on: date = MARCH,
    minutes: int = 45,
    hour: int = 2,
    branch: str | None = None,
    told: tuple[tuple[PersonId, PersonId], ...] = (),
    sides: tuple[Side, ...] | None = None,
) -> Entry:
    event = TalkHeld(
        kind=kind,
        parties=parties,
        branch=branch,
        place=TEXT,
        begun_at=at(on, hour),
        ended_at=at(on, hour) + timedelta(minutes=minutes),
        sides=tuple(side(p) for p in parties) if sides is None else sides,
        communicated=tuple(
            Communicated(giver=giver, receiver=receiver, criticism=TEXT) for giver, receiver in told
        ),
        recorded_by=parties[0],
    )
    return Entry(stream, event, on, parties[0])


# -- Meetings --------------------------------------------------------------------------------------


def called(
    stream: str,
    kind: MeetingKind = MeetingKind.democratic_life,
    *,
    chair: PersonId = LEADER,
    branch: str | None = None,
    reports_on: str | None = None,
    on: date = MAY,
) -> Entry:
    event = MeetingPlanned(
        kind=kind,
        campaign=CAMPAIGN,
        branch=branch,
        reports_on=reports_on,
        title=TEXT,
        place=TEXT,
        chair=chair,
        on=on,
        planned_by=ADMIN,
    )
    return Entry(stream, event, APRIL)


def held(stream: str, *, on: date = MAY, chair: PersonId = LEADER) -> Entry:
    return Entry(stream, MeetingHeld(on=on, began_at=at(on), chair=chair, recorder=ADMIN), on)


def met(
    stream: str,
    kind: MeetingKind = MeetingKind.democratic_life,
    *then: Entry,
    branch: str | None = None,
    reports_on: str | None = None,
    chair: PersonId = LEADER,
    on: date = MAY,
) -> list[Entry]:
    """A meeting that was planned and held, and what happened at it."""
    planned_as = called(stream, kind, chair=chair, branch=branch, reports_on=reports_on, on=on)
    return [planned_as, held(stream, on=on, chair=chair), *then]


def spoke(
    stream: str,
    number: int,
    act: SpeechAct,
    speaker: PersonId,
    receiver: PersonId | None = None,
    talk: str | None = None,
) -> Entry:
    event = SpeechRecorded(
        number=number, act=act, speaker=speaker, receiver=receiver, talk=talk, text=TEXT
    )
    return Entry(stream, event, MAY)


def came(stream: str, *people: PersonId, absent: tuple[PersonId, ...] = ()) -> Entry:
    attendees = (
        *(Attendee(person=p, attendance=Attendance.present) for p in people),
        *(Attendee(person=p, attendance=Attendance.absent) for p in absent),
    )
    return Entry(stream, AttendanceRecorded(attendees=attendees), MAY)


WHOLE = Paper(
    basic_situation=TEXT,
    manifestations=TEXT,
    cause_analysis=TEXT,
    improvement_measures=TEXT,
    lengths=SectionLengths(
        basic_situation=100, manifestations=400, cause_analysis=400, improvement_measures=400
    ),
    causes=(Cause(text=TEXT, aspects=tuple(Aspect)),),
    measures=(ImprovementMeasure(text=TEXT, owner=ZHOU, due_on=MAY, deliverable=TEXT),),
)


def examined(
    stream: str,
    person: PersonId | None = ZHOU,
    *,
    paper: Paper = WHOLE,
    by: PersonId | None = None,
    presided_by: PersonId | None = None,
) -> list[Entry]:
    """A self-examination drafted and submitted; of the team, where nobody is named."""
    drafted = ExaminationDrafted(
        campaign=CAMPAIGN,
        subject=ExaminationSubject.person if person else ExaminationSubject.team,
        person=person,
        presided_by=presided_by,
        to_be_adopted=person is None,
        paper=paper,
    )
    author = by or person or LEADER
    return [
        Entry(stream, drafted, APRIL, author),
        Entry(stream, ExaminationSubmitted(), APRIL, author),
    ]


def appraised(stream: str = "a1", on: date = MAY) -> Entry:
    event = AppraisalOpened(
        campaign=CAMPAIGN,
        branch=ARTS,
        on=on,
        members=(LEADER, ZHOU, WU, SECRETARY, TEACHER),
        principals=(SECRETARY,),
        opened_by=ADMIN,
        scale=(Grade.excellent, Grade.qualified, Grade.basically_qualified, Grade.unqualified),
    )
    return Entry(stream, event, on)


# -- Study and inspections -------------------------------------------------------------------------


def did(
    stream: str,
    kind: ActivityKind,
    person: PersonId = ZHOU,
    on: date = MAY,
    *,
    amount: int | None = None,
    pupil: str | None = None,
) -> Entry:
    event = ActivityRecorded(
        kind=kind,
        person=person,
        on=on,
        amount=None if amount is None else Decimal(amount),
        pupil=pupil,
        recorded_by=person,
    )
    return Entry(stream, event, on, person)


def studied(stream: str, kind: SessionKind, on: date = MARCH) -> Entry:
    event = StudySessionRecorded(
        kind=kind,
        held_on=on,
        place=TEXT,
        theme=TEXT,
        organiser=Organiser.school,
        recorded_by=ADMIN,
    )
    return Entry(stream, event, on)


def reflected(
    stream: str, author: PersonId = ZHOU, on: date = MARCH, *, length: int = 2000
) -> Entry:
    event = ReflectionSubmitted(
        author=author, title=TEXT, text=TEXT, length=length, written_on=on, recorded_by=author
    )
    return Entry(stream, event, on, author)


def inspected(stream: str, kind: InspectionKind, on: date = MAY) -> Entry:
    return Entry(stream, InspectionRecorded(kind=kind, held_on=on, scope=TEXT, found=TEXT), on)
