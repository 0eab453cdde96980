"""What oversight records. Stored for ever: add a field with a default, or a new version."""

from shared.decider import Event, PersonId
from shared.marks import Text

# -- finding ---------------------------------------------------------------------------------------


class FindingAcknowledged(Event):
    TYPE = "oversight.finding.acknowledged.v1"
    rule: str
    subject: tuple[str, ...]
    period: str
    acknowledged_by: PersonId
    remark: Text | None = None


class AcknowledgementCorrected(Event):
    TYPE = "oversight.finding.acknowledgement-corrected.v1"
    remark: Text | None = None
    reason: Text


class AcknowledgementVoided(Event):
    TYPE = "oversight.finding.acknowledgement-voided.v1"
    reason: Text


class ObligationWaived(Event):
    TYPE = "oversight.finding.obligation-waived.v1"
    rule: str
    subject: tuple[str, ...]
    period: str
    waived_by: PersonId
    reason: Text


class WaiverCorrected(Event):
    TYPE = "oversight.finding.waiver-corrected.v1"
    waiver_reason: Text
    reason: Text


class WaiverLifted(Event):
    TYPE = "oversight.finding.waiver-lifted.v1"
    reason: Text


class WaiverVoided(Event):
    TYPE = "oversight.finding.waiver-voided.v1"
    reason: Text


type FindingEvent = (
    FindingAcknowledged
    | AcknowledgementCorrected
    | AcknowledgementVoided
    | ObligationWaived
    | WaiverCorrected
    | WaiverLifted
    | WaiverVoided
)
