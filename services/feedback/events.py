"""What feedback records. Stored for ever: add a field with a default, or a new version."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from shared.decider import Event, PersonId
from shared.marks import Sealed, Text


class InNameOf(StrEnum):
    """Who asks for opinions: the organisation once, or somebody for themselves (R32-R35)."""

    organisation = "organisation"
    individual = "individual"


class SolicitationSubject(StrEnum):
    """What a solicitation asks about; the organisation asks once per campaign and subject."""

    four_winds = "four_winds"
    teaching = "teaching"
    services = "services"
    other = "other"


class Channel(StrEnum):
    """By which way an opinion was heard: the plan's seven and whatever 「等」 stands for (R35)."""

    symposium = "symposium"
    individual_interview = "individual_interview"
    spot_survey = "spot_survey"
    public_reception = "public_reception"
    suggestion_box = "suggestion_box"
    weibo = "weibo"
    wechat = "wechat"
    other = "other"


class TargetKind(StrEnum):
    """Whom an opinion is about, as far as the one who wrote it down knew."""

    team = "team"
    member = "member"
    department = "department"
    branch = "branch"
    unknown = "unknown"


class RefusalCode(StrEnum):
    """Why an opinion, or a part of one, does not become an issue."""

    out_of_scope = "out_of_scope"
    unintelligible = "unintelligible"
    no_request = "no_request"
    said_twice = "said_twice"
    handled_elsewhere = "handled_elsewhere"
    abusive = "abusive"
    other = "other"


class RedactionMode(StrEnum):
    """Whether a passage is only hidden from readers, or is to be gone for good."""

    masking = "masking"
    final = "final"


class Wind(StrEnum):
    """The four winds (四风)."""

    formalism = "formalism"
    bureaucratism = "bureaucratism"
    hedonism = "hedonism"
    extravagance = "extravagance"


class Topic(StrEnum):
    """What an issue is about: the plan's points of emphasis (R40) and a school's daily life."""

    eight_point_rules = "eight_point_rules"
    study_style = "study_style"
    writing_style = "writing_style"
    meeting_style = "meeting_style"
    serving_the_masses = "serving_the_masses"
    teaching = "teaching"
    canteen = "canteen"
    dormitory = "dormitory"
    safety = "safety"
    finance = "finance"
    personnel = "personnel"
    other = "other"


class Discovery(StrEnum):
    """By which of the plan's five ways a problem was found (R44)."""

    raised_by_public = "raised_by_public"
    self_found = "self_found"
    peer_raised = "peer_raised"
    superior_pointed = "superior_pointed"
    collectively_discussed = "collectively_discussed"


class Addressee(StrEnum):
    """Who has to answer for an issue: the team together, or one member who claims it (R33)."""

    team = "team"
    member = "member"


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


class Attachment(_Part):
    """A file by the hash of its stored bytes; the bytes are elsewhere."""

    sha256: str
    media_type: str
    size: int


class TextRange(_Part):
    """Characters (Unicode code points) of a verbatim text from `start` up to, without, `end`."""

    start: int
    end: int


class OpinionPart(_Part):
    """An opinion, or a range of the characters of its verbatim text."""

    opinion: str
    start: int | None = None
    end: int | None = None


class CollatedOpinion(_Part):
    """An opinion a collation has to deal with, and how many characters its text has."""

    opinion: str
    length: int


class ProposedIssue(_Part):
    """What a group of opinions amounts to. `key` is its name within the collation."""

    key: str
    title: Text
    parts: tuple[OpinionPart, ...]
    addressee: Addressee
    person: PersonId | None
    winds: tuple[Wind, ...]
    not_four_winds: bool
    topics: tuple[Topic, ...]
    discovery: Discovery
    key_issue: bool
    strongly_reflected: bool


class Problem(_Part):
    """A problem somebody found, as an issue begins with it; `key` is its name where it was found.

    Talks, meetings, visits and inspections record it with these words, all of which are feedback's.
    """

    key: str
    title: Text
    description: Text | None = None
    addressee: Addressee
    person: PersonId | None = None
    winds: tuple[Wind, ...] = ()
    not_four_winds: bool = False
    topics: tuple[Topic, ...] = ()
    discovery: Discovery
    key_issue: bool = False
    strongly_reflected: bool = False


class Heard(_Part):
    """How many opinions came by one channel about one target: a member's, department's, branch's id."""

    channel: Channel
    target_kind: TargetKind
    target: str | None = None
    opinions: int


# -- solicitation ----------------------------------------------------------------------------------


class SolicitationOpened(Event):
    TYPE = "feedback.solicitation.opened.v1"
    in_name_of: InNameOf
    issuer: PersonId
    campaign: str
    subject: SolicitationSubject
    scope: Text
    channels: tuple[Channel, ...]
    opens_on: date
    closes_on: date


class SolicitationCorrected(Event):
    TYPE = "feedback.solicitation.corrected.v1"
    scope: Text
    channels: tuple[Channel, ...]
    opens_on: date
    closes_on: date
    reason: Text


class SolicitationClosed(Event):
    TYPE = "feedback.solicitation.closed.v1"
    on: date


class SolicitationVoided(Event):
    TYPE = "feedback.solicitation.voided.v1"
    reason: Text


# -- opinion ---------------------------------------------------------------------------------------


class OpinionSubmitted(Event):
    TYPE = "feedback.opinion.submitted.v1"
    verbatim_text: Text
    salt: Text
    verbatim_sha256: str
    length: int
    channel: Channel
    channel_text: Text | None = None
    solicitation: str | None = None
    target_kind: TargetKind = TargetKind.unknown
    target: str | None = None
    sitting: Text | None = None
    voiced_by: Annotated[str | None, Sealed(part="originator")] = None
    contact: Annotated[str | None, Sealed(part="originator")] = None
    submitted_by: PersonId | None = None
    recorded_by_clerk: bool = False
    anonymous: bool = False
    attachments: tuple[Attachment, ...] = ()


class OpinionAcknowledged(Event):
    TYPE = "feedback.opinion.acknowledged.v1"
    text: Text | None = None


class OpinionRefused(Event):
    TYPE = "feedback.opinion.refused.v1"
    code: RefusalCode
    reason: Text


class OpinionReconsidered(Event):
    TYPE = "feedback.opinion.reconsidered.v1"
    reason: Text


class MessageSent(Event):
    TYPE = "feedback.opinion.message-sent.v1"
    text: Text
    from_originator: bool


class OpinionWithdrawn(Event):
    TYPE = "feedback.opinion.withdrawn.v1"
    reason: Text | None = None


class OpinionRedacted(Event):
    TYPE = "feedback.opinion.redacted.v1"
    ranges: tuple[TextRange, ...]
    mode: RedactionMode
    reason: Text


class MaskingLifted(Event):
    TYPE = "feedback.opinion.masking-lifted.v1"
    ranges: tuple[TextRange, ...]
    reason: Text


class OpinionCorrected(Event):
    TYPE = "feedback.opinion.corrected.v1"
    channel: Channel
    channel_text: Text | None = None
    solicitation: str | None = None
    target_kind: TargetKind = TargetKind.unknown
    target: str | None = None
    sitting: Text | None = None
    reason: Text


class OpinionVoided(Event):
    TYPE = "feedback.opinion.voided.v1"
    reason: Text


# -- collation -------------------------------------------------------------------------------------


class CollationOpened(Event):
    TYPE = "feedback.collation.opened.v1"
    solicitation: str | None = None
    opinions: tuple[CollatedOpinion, ...]
    collator: PersonId


class OpinionSplit(Event):
    TYPE = "feedback.collation.opinion-split.v1"
    opinion: str
    cuts: tuple[int, ...]


class OpinionsGrouped(Event):
    TYPE = "feedback.collation.opinions-grouped.v1"
    issue: ProposedIssue


class OpinionsRegrouped(Event):
    TYPE = "feedback.collation.opinions-regrouped.v1"
    issue: ProposedIssue


class OpinionsUngrouped(Event):
    TYPE = "feedback.collation.opinions-ungrouped.v1"
    key: str


class PartSetAside(Event):
    TYPE = "feedback.collation.part-set-aside.v1"
    part: OpinionPart
    code: RefusalCode
    reason: Text


class PartTakenBack(Event):
    TYPE = "feedback.collation.part-taken-back.v1"
    part: OpinionPart


class CollationClosed(Event):
    TYPE = "feedback.collation.closed.v1"
    ends = True
    issues: tuple[ProposedIssue, ...]
    not_collated: tuple[str, ...] = ()
    solicitation: str | None = None


class CollationVoided(Event):
    TYPE = "feedback.collation.voided.v1"
    ends = True
    opinions: tuple[str, ...]
    reason: Text


# -- report ----------------------------------------------------------------------------------------


class ReportCompiled(Event):
    TYPE = "feedback.report.compiled.v1"
    solicitation: str | None
    member: PersonId | None = None
    opinions: tuple[str, ...]
    heard: tuple[Heard, ...]
    responsibility: Text
    thinking: Text
    measures: Text
    compiled_at: int
    compiler: PersonId


class ReportCorrected(Event):
    TYPE = "feedback.report.corrected.v1"
    responsibility: Text
    thinking: Text
    measures: Text
    reason: Text


class ReportVoided(Event):
    TYPE = "feedback.report.voided.v1"
    ends = True
    reason: Text


# -- disclosure ------------------------------------------------------------------------------------


class DisclosureRequested(Event):
    TYPE = "feedback.disclosure.requested.v1"
    opinion: str
    reason: Text
    requested_by: PersonId


class IdentityDisclosed(Event):
    """Who asked may know who said it; the identity itself is no part of this."""

    TYPE = "feedback.disclosure.identity-disclosed.v1"
    reason: Text


class DisclosureWithdrawn(Event):
    TYPE = "feedback.disclosure.withdrawn.v1"
    reason: Text


type SolicitationEvent = (
    SolicitationOpened | SolicitationCorrected | SolicitationClosed | SolicitationVoided
)
type OpinionEvent = (
    OpinionSubmitted
    | OpinionAcknowledged
    | OpinionRefused
    | OpinionReconsidered
    | MessageSent
    | OpinionWithdrawn
    | OpinionRedacted
    | MaskingLifted
    | OpinionCorrected
    | OpinionVoided
)
type CollationEvent = (
    CollationOpened
    | OpinionSplit
    | OpinionsGrouped
    | OpinionsRegrouped
    | OpinionsUngrouped
    | PartSetAside
    | PartTakenBack
    | CollationClosed
    | CollationVoided
)
type DisclosureEvent = DisclosureRequested | IdentityDisclosed | DisclosureWithdrawn
type ReportEvent = ReportCompiled | ReportCorrected | ReportVoided
