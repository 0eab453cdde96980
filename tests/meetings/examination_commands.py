"""Every command on examinations and appraisals at least once, as the laws try them on every state."""

from dataclasses import replace
from typing import Any

from services.meetings.domain import appraisal, examination
from services.meetings.domain.appraisal import (
    AppraiseMember,
    CloseBallot,
    CommentOnMember,
    CorrectAppraisal,
    DisposeMember,
    EducateMember,
    OpenAppraisal,
    OpenBallot,
    RecommendMember,
    RecordResult,
    VoidAppraisal,
    VoidAppraisalEntry,
    VoidBallot,
    WriteSelfAppraisal,
)
from services.meetings.domain.examination import (
    AdoptExamination,
    ConsultOnExamination,
    CorrectExamination,
    CorrectExaminationAdoption,
    CorrectExaminationConsultation,
    DraftExamination,
    RestoreExaminationGate,
    ReviewExamination,
    ReviseExamination,
    SendBackExamination,
    SubmitExamination,
    VoidExamination,
    WaiveExaminationGate,
)
from services.meetings.events import AppraisalEntry
from shared.decider import Command
from tests.meetings.examination_cast import (
    CADRE,
    LEADER,
    SECRETARY,
    SUPERVISOR,
    TEACHER,
    by,
)
from tests.meetings.test_appraisal_deciding import (
    BEST,
    DEAL,
    HASHES,
    LESSON,
    PRAISE,
    SLIPS,
    VOID_RESULT,
    WORST,
)
from tests.meetings.test_appraisal_entering import (
    COMMENT,
    HERE,
    LAST_MONTH,
    SAY,
    SIX,
    VOID_MUTUAL,
    VOID_SELF,
)
from tests.meetings.test_appraisal_entering import FACTS as APPRAISAL
from tests.meetings.test_examination_review import ASKED, BACK
from tests.meetings.test_examination_writing import FACTS as EXAMINATION
from tests.meetings.test_examination_writing import FULL, OWN, TEAM, WAIVE

EXAMINATION_FACTS: examination.Facts = replace(EXAMINATION, held=True)
APPRAISAL_FACTS: appraisal.Facts = replace(APPRAISAL, code_hashes=HASHES, slips=SLIPS)

SHORT: dict[str, Any] = {**FULL, "causes": (), "measures": (), "answers": ("issue-2",)}

EXAMINATION_COMMANDS: tuple[Command, ...] = (
    by(CADRE, DraftExamination, **OWN),
    by(LEADER, DraftExamination, **TEAM, **FULL, presided_by=LEADER),
    by(CADRE, ReviseExamination, **FULL),
    by(LEADER, ReviseExamination),
    by(SUPERVISOR, WaiveExaminationGate, **WAIVE),
    by(SUPERVISOR, RestoreExaminationGate, **WAIVE),
    by(CADRE, SubmitExamination),
    by(LEADER, SubmitExamination),
    by(CADRE, CorrectExamination, **SHORT, reason="漏录"),
    by(LEADER, AdoptExamination, meeting="meeting-1"),
    by(SUPERVISOR, CorrectExaminationAdoption, meeting="meeting-2", reason="写错"),
    by(LEADER, ConsultOnExamination, **ASKED),
    by(SUPERVISOR, CorrectExaminationConsultation, **{**ASKED, "replies": 43}, reason="漏计"),
    by(SUPERVISOR, ReviewExamination, remarks="问题找得准"),
    by(SUPERVISOR, SendBackExamination, **BACK),
    by(SUPERVISOR, VoidExamination, reason="重复录入"),
)

APPRAISAL_COMMANDS: tuple[Command, ...] = (
    by(SECRETARY, OpenAppraisal, **HERE),
    by(SECRETARY, CorrectAppraisal, on=LAST_MONTH, meeting="meeting-1", reason="日期错"),
    by(TEACHER, WriteSelfAppraisal, **SIX),
    by(TEACHER, AppraiseMember, **SAY),
    by(SECRETARY, OpenBallot),
    by(SUPERVISOR, VoidBallot, reason="选票外泄"),
    by(SECRETARY, CloseBallot),
    by(SECRETARY, RecordResult, **BEST),
    by(SECRETARY, RecordResult, **WORST),
    by(SECRETARY, CommentOnMember, **COMMENT),
    by(SECRETARY, RecommendMember, **PRAISE),
    by(SECRETARY, EducateMember, **LESSON),
    by(SECRETARY, DisposeMember, **DEAL),
    by(SECRETARY, VoidAppraisalEntry, **VOID_SELF),
    by(SECRETARY, VoidAppraisalEntry, **VOID_MUTUAL),
    by(LEADER, VoidAppraisalEntry, **VOID_RESULT),
    by(LEADER, VoidAppraisalEntry, **{**VOID_RESULT, "entry": AppraisalEntry.education}),
    by(LEADER, VoidAppraisalEntry, **{**VOID_RESULT, "entry": AppraisalEntry.disposition}),
    by(SUPERVISOR, VoidAppraisal, reason="走过场,责令重做"),
)
