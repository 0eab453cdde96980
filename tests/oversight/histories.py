"""For each rule that is computed: a history in which it holds, and one in which it does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.campaign.directory import Directory
from services.campaign.events import (
    InspectionKind,
    PlanApproved,
    PlanDrafted,
    PlanFiled,
)
from services.feedback.events import Discovery, OpinionRefused, RefusalCode
from services.meetings.events import (
    AppraisalEntry,
    AppraisalEntryVoided,
    BriefingPart,
    BriefingPartReported,
    Disposition,
    ExaminationAdopted,
    ExaminationConsulted,
    Grade,
    ImprovementMeasure,
    MeasureResolved,
    MeetingAppraised,
    MeetingDateAgreed,
    MeetingGrade,
    MeetingKind,
    MeetingPlanApproved,
    MemberAppraised,
    MemberCommentedOn,
    MemberDisposed,
    MemberEducated,
    MemberRecommended,
    ResultRecorded,
    SectionLengths,
    SelfAppraised,
    SpeechAct,
    SpeechVoided,
)
from services.rectification.events import IssueAssigned
from services.study.events import (
    ActivityKind,
    Aspect,
    CatalogueItemAdded,
    CatalogueItemRevised,
    DifficultyReopened,
    DifficultySolved,
    GapRecorded,
    Rating,
    ReadingRecorded,
    ReflectionRated,
    SessionKind,
    TieOpened,
)
from services.talks.events import (
    TalkDisputed,
    TalkKind,
    TalkRequestAccepted,
    TalkRequested,
)
from shared.decider import Event
from tests.oversight.deeds import (
    TEXT,
    WHOLE,
    appraised,
    at,
    called,
    came,
    claimed,
    closed,
    collated,
    did,
    examined,
    held,
    inspected,
    judged,
    met,
    opened,
    over,
    plan,
    planned,
    proposed,
    reflected,
    reported,
    side,
    solicited,
    spoke,
    spoken,
    started,
    studied,
    talked,
    watch,
)
from tests.oversight.town import (
    ADMIN,
    APRIL,
    ARTS,
    BURSAR,
    CAMPAIGN,
    DEAN,
    GRADE_7,
    GRADE_HEAD,
    JUNE,
    LEADER,
    MARCH,
    MAY,
    NEW_YEAR,
    SCHOOL,
    SECRETARY,
    STAGES,
    SUBJECT_HEAD,
    SUPERVISOR,
    TEACHER,
    TODAY,
    WEEK,
    WU,
    ZHOU,
    Entry,
)


@dataclass(frozen=True)
class History:
    """About `subject` in `period` the rule holds after `good` and does not after `bad`."""

    subject: tuple[str, ...]
    good: Sequence[Entry]
    bad: Sequence[Entry]
    period: str = "once"
    day: date = TODAY
    directory: Directory = SCHOOL


def drafted() -> Entry:
    event = PlanDrafted(
        title=TEXT,
        begins_on=NEW_YEAR,
        ends_on=date(2023, 9, 30),
        stages=STAGES,
        drafted_by=ADMIN,
    )
    return Entry(CAMPAIGN, event)


DLM, OLM = MeetingKind.democratic_life, MeetingKind.organisational_life
SELF, CRITICISM = SpeechAct.self_criticism, SpeechAct.criticism
TEAMS = SpeechAct.team_self_examination
APPRAISED = MeetingAppraised(
    grade=MeetingGrade.good, text=TEXT, appraised_by=SUPERVISOR, appraised_at=at(MAY, 8)
)
SUMMARY = SelfAppraised(
    member=ZHOU,
    thought=TEXT,
    work=TEXT,
    study=TEXT,
    understanding=TEXT,
    attitude=TEXT,
    action=TEXT,
)
MEASURE = MeasureResolved(key="m1", text=TEXT, owner=ZHOU, due_on=JUNE, deliverable=TEXT)


def said(stream: str, event: Event, on: date = MAY, by: str = ADMIN) -> Entry:
    return Entry(stream, event, on, by)  # type: ignore[arg-type]  # a person's id


def _year(kind: ActivityKind) -> History:
    return History(
        (ZHOU,),
        [did("x1", kind, ZHOU, MARCH)],
        [did("x1", kind, WU, MARCH), did("x2", kind, ZHOU, date(2022, 8, 30))],
        "school-year-2022-09-01",
    )


def _week(kind: ActivityKind) -> History:
    return History(
        (ZHOU,),
        [did("x1", kind, ZHOU, MAY)],
        [did("x1", kind, WU, MAY), did("x2", kind, ZHOU, MAY + timedelta(days=7))],
        WEEK,
    )


def _criticism(giver: str, receiver: str) -> History:
    return History(
        ("m1", giver, receiver),
        met("m1", DLM, spoke("m1", 1, CRITICISM, giver, receiver)),  # type: ignore[arg-type]
        met(
            "m1",
            DLM,
            spoke("m1", 1, CRITICISM, receiver, giver),  # type: ignore[arg-type]
            spoke("m1", 2, CRITICISM, giver, receiver),  # type: ignore[arg-type]
            said("m1", SpeechVoided(number=2, reason=TEXT)),
        ),
    )


def _paper(**changes: object) -> list[Entry]:
    return examined("e1", paper=WHOLE.model_copy(update=changes))


BOOK = said(
    "book",
    CatalogueItemAdded(title=TEXT, origin=TEXT, required=True, since=MARCH, added_by=ADMIN),
)
READ = said(
    "r1", ReadingRecorded(person=TEACHER, item="book", edition=1, on=MAY, recorded_by=ADMIN)
)
REVISED = said(
    "book", CatalogueItemRevised(edition=2, title=TEXT, origin=TEXT, required=True, reason=TEXT)
)


def gap(aspect: Aspect) -> Entry:
    event = GapRecorded(
        campaign=CAMPAIGN,
        person=ZHOU,
        aspect=aspect,
        text=TEXT,
        found_on=MARCH,
        recorded_by=ZHOU,
    )
    return said("g1", event)


BRIEFING = met("b1", MeetingKind.briefing, reports_on="m1", on=JUNE)
UNQUALIFIED = said("a1", ResultRecorded(recorded_by=ADMIN, member=TEACHER, grade=Grade.unqualified))
UNNAMED = proposed("k", "o1").model_copy(update={"winds": ()})
EDUCATED = said("a1", MemberEducated(recorded_by=ADMIN, member=TEACHER, text=TEXT))

HISTORIES: dict[str, History] = {
    "R01": History(
        ("t1",), [talked("t1", ZHOU, WU)], [talked("t1", ZHOU, WU, on=date(2022, 12, 9))]
    ),
    "R02": History(
        (CAMPAIGN,),
        [
            drafted(),
            said(CAMPAIGN, PlanApproved(revision=1), by=SUPERVISOR),
            said(CAMPAIGN, PlanFiled(revision=1, filed_with=TEXT)),
        ],
        [
            drafted(),
            said(CAMPAIGN, PlanApproved(revision=1), by=ADMIN),
            said(CAMPAIGN, PlanFiled(revision=1, filed_with=TEXT)),
        ],
    ),
    "R03": History((CAMPAIGN,), [drafted()], []),
    "R04": History((CAMPAIGN,), [opened("i1")], [opened("i1", on=MAY)], "study-and-listening"),
    "R05": History(("i1",), [*closed("i1"), judged("i1")], [*closed("i1"), judged("i1", WU)]),
    "R06": History(
        ("i1",), closed("i1"), [e for e in closed("i1") if "evidence-added" not in e.event.TYPE]
    ),
    "R07": History(
        (CAMPAIGN,),
        [inspected("n1", InspectionKind.frugality_regulations)],
        [inspected("n1", InspectionKind.other)],
        "until-criticism-ends",
    ),
    "R10": History((TEACHER, "book"), [BOOK, READ], [BOOK, READ, REVISED], "campaign"),
    "R11": History(
        ("expert-lecture",),
        [studied("s1", SessionKind.expert_lecture)],
        [studied("s1", SessionKind.collective_study)],
        "campaign",
    ),
    "R13": History((ZHOU, "style"), [gap(Aspect.style)], [gap(Aspect.spirit)], "campaign"),
    "R14": History((ZHOU,), [reflected("f1")], [reflected("f1", on=MAY)], "study-and-listening"),
    "R15": History(
        ("f1",),
        [
            reflected("f1"),
            said("f1", ReflectionRated(reader=LEADER, rating=Rating.good, comment=TEXT)),
        ],
        [reflected("f1")],
    ),
    "R16": History(
        (ZHOU,),
        [
            did("d1", ActivityKind.donation, amount=2000, pupil="p-1"),
            did("d2", ActivityKind.donation, amount=22),
        ],
        [did("d1", ActivityKind.donation, amount=2021, pupil="p-1")],
        "school-year-2022-09-01",
    ),
    "R17": History(
        (ZHOU,),
        [
            did("v1", ActivityKind.staff_visit),
            said("v1", DifficultySolved(on=JUNE, how=TEXT), JUNE),
        ],
        [
            did("v1", ActivityKind.staff_visit),
            said("v1", DifficultySolved(on=JUNE, how=TEXT), JUNE),
            said("v1", DifficultyReopened(reason=TEXT), JUNE),
        ],
        "school-year-2022-09-01",
    ),
    "R18": History(
        (ZHOU,),
        [said("t1", TieOpened(number=1, person=ZHOU, unit=GRADE_7, since=MARCH, recorded_by=ZHOU))],
        [
            said(
                "t1", TieOpened(number=1, person=ZHOU, unit=GRADE_7, since=MARCH, recorded_by=ZHOU)
            ),
            said(
                "t1", TieOpened(number=2, person=ZHOU, unit="maths", since=APRIL, recorded_by=ZHOU)
            ),
        ],
        "now",
    ),
    "R19": _week(ActivityKind.lesson_observation),
    "R20": _week(ActivityKind.canteen_meal),
    "R21": _week(ActivityKind.dormitory_visit),
    "R23": _year(ActivityKind.monograph_study),
    "R24": _year(ActivityKind.research_activity),
    "R25": _year(ActivityKind.research_topic),
    "R26": _year(ActivityKind.open_class),
    "R27": _year(ActivityKind.research_article),
    "R28": History(
        (TEACHER,),
        [did("x1", ActivityKind.named_tutoring, TEACHER, MAY, pupil="p-1")],
        [did("x1", ActivityKind.named_tutoring, TEACHER, date(2023, 1, 9), pupil="p-1")],
        "term-2023-02-13",
    ),
    "R32": History(
        (CAMPAIGN, "four-winds"), [solicited("s1")], [solicited("s1"), solicited("s2", on=APRIL)]
    ),
    "R33": History(
        ("i1",),
        [opened("i1", member=ZHOU), claimed("i1")],
        [opened("i1", member=ZHOU), claimed("i1", WU)],
    ),
    "R34": History(
        ("s2",),
        [solicited("s2")],
        [solicited("s1"), solicited("s2", on=APRIL)],
    ),
    "R35": History(
        (ZHOU,), [solicited("s1", by=ZHOU)], [solicited("s1", by=WU), solicited("s2")], "campaign"
    ),
    "R36": History(("o1",), [spoken("o1")], [spoken("o1"), spoken("o1")]),
    "R37": History(
        ("s1",),
        [solicited("s1"), spoken("o1", "s1"), over("s1"), reported("q1", "s1", "o1")],
        [solicited("s1"), spoken("o1", "s1"), over("s1"), reported("q1", "s1", "o2")],
    ),
    "R38": History(
        ("o1",),
        [spoken("o1"), said("o1", OpinionRefused(code=RefusalCode.out_of_scope, reason=TEXT))],
        [spoken("o1"), spoken("o2"), *collated("c1", "o1", "o2", into=(proposed("k", "o2"),))],
    ),
    "R41": History(
        ("c1", "k"),
        [
            spoken("o1"),
            *collated("c1", "o1", into=(proposed("k", "o1"),)),
            opened("i1", opinions=("o1",)),
        ],
        [
            spoken("o1"),
            *collated("c1", "o1", into=(proposed("k", "o1"),)),
            opened("i1", opinions=("o1",), source="c2"),
        ],
    ),
    "R42": History(("i1",), [opened("i1", on=date(2023, 6, 20))], [opened("i1", on=MAY)], "now"),
    "R43": History(
        ("i1",),
        closed("i1"),
        [e for e in closed("i1") if "verified" not in e.event.TYPE],
    ),
    "R44": History(
        ("self-found",),
        [opened("i1", discovery=Discovery.self_found)],
        [opened("i1")],
        "campaign",
    ),
    "R45": History(
        ("i1",),
        [
            *collated("c1", "o1", into=(UNNAMED.model_copy(update={"not_four_winds": True}),)),
            opened("i1", opinions=("o1",), winds=()),
        ],
        [*collated("c1", "o1", into=(UNNAMED,)), opened("i1", opinions=("o1",), winds=())],
    ),
    "R46": History(
        (LEADER, ZHOU),
        [talked("t1", ZHOU, LEADER)],
        [talked("t1", LEADER, ZHOU, WU, kind=TalkKind.group), talked("t2", LEADER, WU)],
        "campaign",
    ),
    "R47": History(
        (WU, ZHOU),
        [talked("t1", ZHOU, WU)],
        [talked("t1", ZHOU, WU), said("t1", TalkDisputed(party=WU, reason=TEXT))],
        "campaign",
    ),
    "R48": History((DEAN, ZHOU), [talked("t1", ZHOU, DEAN)], [talked("t1", WU, DEAN)], "campaign"),
    "R49": History(
        ("q1",),
        [
            said("q1", TalkRequested(asker=TEACHER, asked=ZHOU, recorded_by=TEACHER)),
            said("q1", TalkRequestAccepted()),
        ],
        [said("q1", TalkRequested(asker=TEACHER, asked=ZHOU, recorded_by=TEACHER))],
    ),
    "R50": History(
        ("t1",),
        [talked("t1", ZHOU, WU)],
        [talked("t1", ZHOU, WU, sides=(side(ZHOU), side(WU, opinion_about_me=None)))],
    ),
    "R52": History(("t1",), [talked("t1", ZHOU, WU)], [talked("t1", ZHOU, WU, minutes=29)]),
    "R53": History(
        ("t1",),
        [talked("t1", ZHOU, WU)],
        [talked("t1", ZHOU, WU, sides=(side(ZHOU, strengths=None),))],
    ),
    "R54": History(
        ("m1", "1"),
        [
            talked("t1", ZHOU, WU, told=((ZHOU, WU),)),
            *met("m1", DLM, spoke("m1", 1, CRITICISM, ZHOU, WU, "t1")),
        ],
        [
            talked("t1", ZHOU, WU, told=((ZHOU, WU),), on=JUNE),
            *met("m1", DLM, spoke("m1", 1, CRITICISM, ZHOU, WU, "t1")),
        ],
    ),
    "R55": History(
        (ARTS,),
        [talked("t1", SECRETARY, TEACHER)],
        [talked("t1", DEAN, BURSAR)],
        "campaign",
    ),
    "R56": History(
        (SECRETARY,),
        [talked("t1", SECRETARY, TEACHER, on=MARCH), talked("t2", TEACHER, WU, on=APRIL)],
        [talked("t1", SECRETARY, TEACHER, on=APRIL), talked("t2", TEACHER, WU, on=MARCH)],
        "campaign",
    ),
    "R57": History(
        ("t1",),
        [talked("t1", ZHOU, WU)],
        [talked("t1", ZHOU, WU, sides=(side(ZHOU, own_problems=None),))],
    ),
    "R58": History(
        ("i1",),
        [opened("i1", strongly=True), claimed("i1")],
        [
            opened("i1", strongly=True),
            said("i1", IssueAssigned(owner=ZHOU, reason=TEXT, watch=watch(MAY))),
        ],
    ),
    "R59": History((ZHOU,), examined("e1"), examined("e1", by=WU), "campaign"),
    "R60": History(("e1",), examined("e1"), _paper(cause_analysis=None)),
    "R61": History(
        ("e1",),
        examined("e1"),
        _paper(
            lengths=SectionLengths(
                basic_situation=900, manifestations=100, cause_analysis=99, improvement_measures=99
            )
        ),
    ),
    "R62": History(("e1",), examined("e1"), _paper(causes=())),
    "R63": History(
        ("e1", "i1"),
        [opened("i1", member=ZHOU), claimed("i1"), *_paper(answers=("i1",))],
        [opened("i1", member=ZHOU), claimed("i1"), *_paper(answers=("i2",))],
    ),
    "R64": History(
        ("e1", "1"),
        examined("e1"),
        _paper(measures=(ImprovementMeasure(text=TEXT, owner=ZHOU, due_on=MAY),)),
    ),
    "R65": History(
        ("e1",),
        [
            *met("m0", MeetingKind.leadership, on=APRIL),
            *examined("e1", None, presided_by=LEADER),
            said("e1", ExaminationAdopted(meeting="m0")),
            said("e1", ExaminationConsulted(scope=TEXT, replies=7)),
        ],
        [
            *met("m0", MeetingKind.leadership, on=APRIL),
            *examined("e1", None, presided_by=ZHOU),
            said("e1", ExaminationAdopted(meeting="m0")),
            said("e1", ExaminationConsulted(scope=TEXT, replies=7)),
        ],
    ),
    "R66": History(
        ("m1",),
        [
            called("m1"),
            said("m1", MeetingPlanApproved(revision=1, approved_at=at(APRIL)), APRIL, SUPERVISOR),
            held("m1"),
        ],
        [
            called("m1"),
            held("m1"),
            said("m1", MeetingPlanApproved(revision=1, approved_at=at(JUNE)), JUNE, SUPERVISOR),
        ],
    ),
    "R67": History(
        ("m1",),
        [called("m1"), said("m1", MeetingDateAgreed(on=MAY, agreed_at=at(APRIL))), held("m1")],
        [called("m1"), said("m1", MeetingDateAgreed(on=JUNE, agreed_at=at(APRIL))), held("m1")],
    ),
    "R68": History(
        ("m1",),
        met("m1", DLM, spoke("m1", 1, TEAMS, LEADER)),
        met("m1", DLM, spoke("m1", 1, TEAMS, ZHOU)),
    ),
    "R69": History(
        ("m1", LEADER),
        met("m1", DLM, spoke("m1", 1, SELF, LEADER), spoke("m1", 2, SELF, ZHOU)),
        met("m1", DLM, spoke("m1", 1, SELF, ZHOU), spoke("m1", 2, SELF, LEADER)),
    ),
    "R70": _criticism(LEADER, ZHOU),
    "R71": History(
        ("m1", ZHOU),
        met("m1", DLM, spoke("m1", 1, SELF, ZHOU)),
        met("m1", DLM, spoke("m1", 1, SELF, WU)),
    ),
    "R72": _criticism(ZHOU, WU),
    "R73": _criticism(ZHOU, LEADER),
    "R74": History(("m1",), met("m1", DLM, said("m1", APPRAISED, by=SUPERVISOR)), met("m1")),
    "R75": History(
        ("m1",),
        [*met("m1"), *BRIEFING],
        [*met("m1"), *met("b1", MeetingKind.briefing, reports_on="m1", on=JUNE, chair=ZHOU)],
    ),
    "R76": History(
        ("b1", "supervision-evaluation"),
        [
            *met("m1", DLM, said("m1", APPRAISED, by=SUPERVISOR)),
            *BRIEFING,
            said(
                "b1",
                BriefingPartReported(part=BriefingPart.supervision_evaluation, text=TEXT),
                JUNE,
            ),
        ],
        [
            *met("m1"),
            *BRIEFING,
            said(
                "b1",
                BriefingPartReported(part=BriefingPart.supervision_evaluation, text=TEXT),
                JUNE,
            ),
        ],
    ),
    "R77": History(
        ("b1", "grade-heads"),
        [*BRIEFING, came("b1", GRADE_HEAD)],
        [*BRIEFING, came("b1", SUBJECT_HEAD, absent=(GRADE_HEAD,))],
    ),
    "R78": History(
        (ARTS,),
        [*met("m1", OLM, said("m1", MEASURE), branch=ARTS), appraised()],
        [*met("m1", OLM, branch=ARTS), appraised()],
        "campaign",
    ),
    "R79": History(
        ("m1", LEADER),
        met("m1", OLM, came("m1", LEADER), branch=ARTS),
        met("m1", OLM, came("m1", ZHOU, absent=(LEADER,)), branch=ARTS),
    ),
    "R80": History(
        ("m1",),
        met("m1", OLM, spoke("m1", 1, SELF, SECRETARY), branch=ARTS),
        met("m1", OLM, spoke("m1", 1, SELF, TEACHER), spoke("m1", 2, SELF, SECRETARY), branch=ARTS),
    ),
    "R81": History(
        ("m1", TEACHER, SECRETARY),
        met("m1", OLM, spoke("m1", 1, CRITICISM, TEACHER, SECRETARY), branch=ARTS),
        met("m1", OLM, spoke("m1", 1, CRITICISM, SECRETARY, TEACHER), branch=ARTS),
    ),
    "R82": History(
        (ZHOU,),
        [appraised(), said("a1", SUMMARY)],
        [
            appraised(),
            said("a1", SUMMARY),
            said(
                "a1",
                AppraisalEntryVoided(entry=AppraisalEntry.self_appraisal, member=ZHOU, reason=TEXT),
            ),
        ],
        "campaign",
    ),
    "R83": History(
        (ZHOU,),
        [
            appraised(),
            said("a1", MemberAppraised(giver=ZHOU, member=WU, text=TEXT)),
            said("a1", MemberAppraised(giver=WU, member=ZHOU, text=TEXT)),
        ],
        [appraised(), said("a1", MemberAppraised(giver=ZHOU, member=WU, text=TEXT))],
        "campaign",
    ),
    "R84": History(
        (ZHOU,),
        [appraised(), said("a1", MemberCommentedOn(principal=SECRETARY, member=ZHOU, text=TEXT))],
        [appraised(), said("a1", MemberCommentedOn(principal=LEADER, member=ZHOU, text=TEXT))],
        "campaign",
    ),
    "R85": History(
        ("a1", ZHOU),
        [
            appraised(),
            said("a1", ResultRecorded(recorded_by=ADMIN, member=ZHOU, grade=Grade.excellent)),
            said("a1", MemberRecommended(recorded_by=ADMIN, member=ZHOU, text=TEXT)),
        ],
        [
            appraised(),
            said("a1", ResultRecorded(recorded_by=ADMIN, member=ZHOU, grade=Grade.qualified)),
            said("a1", MemberRecommended(recorded_by=ADMIN, member=ZHOU, text=TEXT)),
        ],
    ),
    "R86": History(
        ("a1", TEACHER),
        [
            appraised(),
            UNQUALIFIED,
            EDUCATED,
            said(
                "a1",
                MemberDisposed(
                    member=TEACHER,
                    disposition=Disposition.time_limited_correction,
                    text=TEXT,
                    recorded_by=ADMIN,
                ),
            ),
        ],
        [appraised(), UNQUALIFIED, EDUCATED],
    ),
    "R90": History(("i1",), [opened("i1"), *plan("p1", "i1")], [opened("i1"), *plan("p1", "i2")]),
    "R91": History(("p1",), plan("p1", "i1", key_problem=True), plan("p1", "i1")),
    "R92": History(
        ("i1",),
        [opened("i1"), claimed("i1"), planned("i1"), started("i1")],
        [opened("i1"), claimed("i1"), started("i1")],
    ),
    "R93": History(
        (ZHOU,),
        [opened("i1", member=ZHOU), claimed("i1"), planned("i1")],
        [opened("i1", member=ZHOU), claimed("i1")],
    ),
}
