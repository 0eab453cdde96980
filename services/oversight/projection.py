"""What oversight keeps: the directory, a trace of every stream it reads, and a card per finding."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.campaign.directory import FOLLOWS as DIRECTORY
from services.campaign.directory import Directory, fold
from services.oversight.events import (
    AcknowledgementCorrected,
    AcknowledgementVoided,
    FindingAcknowledged,
    FindingEvent,
    ObligationWaived,
    WaiverCorrected,
    WaiverLifted,
    WaiverVoided,
)
from services.oversight.rules.evidence import Trace, key, trace
from services.oversight.rules.sources import FOLLOWS
from shared.decider import Instant, PersonId
from shared.envelope import Record
from shared.views import View, ledger

directory = ledger("directory", Directory, fold, DIRECTORY)

traces = View("traces", Trace, trace, FOLLOWS, kind="index", keys=key)


class Said(BaseModel):
    """One thing somebody said of a finding, when, and in which words."""

    model_config = ConfigDict(frozen=True)
    by: PersonId
    at: Instant
    text: str | None = None


class FindingCard(BaseModel):
    """What was said of one finding; whether it is still found is for the engine to say."""

    model_config = ConfigDict(frozen=True)
    rule: str
    subject: tuple[str, ...]
    period: str
    stage: Literal["acknowledged", "waived", "lifted", "voided"]
    acknowledged: Said | None = None
    waived: Said | None = None
    ended: Said | None = None


def finding_card(card: FindingCard | None, record: Record) -> FindingCard | None:
    """The card after one more event."""
    match record.event:
        case FindingAcknowledged(remark=remark) as event:
            said = Said(by=event.acknowledged_by, at=record.at, text=remark)
            return _begun(event, card).model_copy(
                update={"stage": "acknowledged", "acknowledged": said}
            )
        case ObligationWaived(reason=reason) as event:
            said = Said(by=event.waived_by, at=record.at, text=reason)
            return _begun(event, card).model_copy(update={"stage": "waived", "waived": said})
        case _ if card is None:
            return None
        case AcknowledgementCorrected(remark=remark) if card.acknowledged:
            changed = card.acknowledged.model_copy(update={"text": remark})
            return card.model_copy(update={"acknowledged": changed})
        case WaiverCorrected(waiver_reason=reason) if card.waived:
            changed = card.waived.model_copy(update={"text": reason})
            return card.model_copy(update={"waived": changed})
        case AcknowledgementVoided(reason=reason):
            return _over(card, record, reason, "voided", "acknowledged")
        case WaiverLifted(reason=reason):
            return _over(card, record, reason, "lifted", "waived")
        case WaiverVoided(reason=reason):
            return _over(card, record, reason, "voided", "waived")
        case _:
            return card


def _begun(event: FindingAcknowledged | ObligationWaived, card: FindingCard | None) -> FindingCard:
    return card or FindingCard(
        rule=event.rule, subject=event.subject, period=event.period, stage="acknowledged"
    )


def _over(
    card: FindingCard,
    record: Record,
    reason: str,
    stage: Literal["lifted", "voided"],
    what: Literal["acknowledged", "waived"],
) -> FindingCard:
    """Without what was taken back; a waiver's end leaves it seen, if it was."""
    ended = Said(by=record.actor, at=record.at, text=reason)
    seen = what == "waived" and card.acknowledged is not None
    stands = "acknowledged" if seen else stage
    return card.model_copy(update={"stage": stands, "ended": ended, what: None})


findings = View("findings", FindingCard, finding_card, FindingEvent.__value__.__args__)
