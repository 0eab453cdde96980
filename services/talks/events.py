"""What talks records. Stored for ever: add a field with a default, or a new version."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from services.feedback.events import Problem, Topic, Wind
from shared.decider import Event, Instant, PersonId
from shared.marks import Sealed, Text


class TalkKind(StrEnum):
    """Whether two talk, several, or a branch; only the first counts as one by one (R46, 逐一)."""

    one_by_one = "one_by_one"
    group = "group"
    branch = "branch"


class Audience(StrEnum):
    """To whom the parties of a talk may show what was said."""

    supervision_group = "supervision_group"
    principal_leaders = "principal_leaders"
    leadership_team = "leadership_team"
    branch_secretaries = "branch_secretaries"
    party_members = "party_members"
    everybody = "everybody"


type TalkState = Literal["arranged", "cancelled", "held", "confirmed", "disputed", "voided"]
"""Where a talk stands; `held` and `confirmed` (by every party) count, a disputed one does not."""

type RequestState = Literal["open", "accepted", "refused", "held", "withdrawn", "voided"]
"""Where a request stands; an open one waits for its answer (R49)."""


class _Part(BaseModel):
    """A part of an event, stored with it."""

    model_config = ConfigDict(frozen=True)


class Side(_Part):
    """One party's side of a talk; a text that is there shows that it was spoken of (R50, R53, R57).

    `asked_about_me`: they asked what the others think of them; `opinion_about_me` and
    `suggestions_to_me` are the answer. `strengths` and `shortcomings` are those they named in the
    others, `own_problems` those they named in themselves.
    """

    party: PersonId
    asked_about_me: bool = False
    opinion_about_me: Text | None = None
    suggestions_to_me: Text | None = None
    strengths: Text | None = None
    shortcomings: Text | None = None
    own_problems: Text | None = None


class Communicated(_Part):
    """Criticism somebody means to raise at a meeting, told its receiver beforehand (R54)."""

    giver: PersonId
    receiver: PersonId
    criticism: Text


class Told(_Part):
    """What the record of a talk says: who, when, where, and what was said.

    Everybody in `parties` talked; `others` were present; `outsider` is a party who is on no roster
    (a parent, a pupil). `branch` is set where the kind is `branch`. `helped` tells of the help that
    was given to see a problem (R51): a key of its own, for the fewest readers.
    """

    kind: TalkKind
    parties: tuple[PersonId, ...]
    others: tuple[PersonId, ...] = ()
    outsider: Annotated[str | None, Sealed(part="outsider")] = None
    branch: str | None = None
    place: Text
    begun_at: Instant
    ended_at: Instant
    sides: tuple[Side, ...] = ()
    communicated: tuple[Communicated, ...] = ()
    helped: Annotated[str | None, Sealed(part="help")] = None


# -- talk ------------------------------------------------------------------------------------------


class TalkArranged(Event):
    TYPE = "talks.talk.arranged.v1"
    kind: TalkKind
    parties: tuple[PersonId, ...]
    outsider: Annotated[str | None, Sealed(part="outsider")] = None
    branch: str | None = None
    place: Text | None = None
    planned_at: Instant
    request: str | None = None
    arranged_by: PersonId


class TalkRearranged(Event):
    TYPE = "talks.talk.rearranged.v1"
    kind: TalkKind
    parties: tuple[PersonId, ...]
    outsider: Annotated[str | None, Sealed(part="outsider")] = None
    branch: str | None = None
    place: Text | None = None
    planned_at: Instant
    reason: Text


class TalkCancelled(Event):
    TYPE = "talks.talk.cancelled.v1"
    ends = True
    reason: Text


class TalkHeld(Told, Event):
    TYPE = "talks.talk.held.v1"
    request: str | None = None
    recorded_by: PersonId


class TalkCorrected(Told, Event):
    TYPE = "talks.talk.corrected.v1"
    reason: Text


class TalkConfirmed(Event):
    TYPE = "talks.talk.confirmed.v1"
    party: PersonId


class TalkDisputed(Event):
    TYPE = "talks.talk.disputed.v1"
    party: PersonId
    reason: Text


class TalkReleased(Event):
    TYPE = "talks.talk.released.v1"
    party: PersonId
    audiences: tuple[Audience, ...]


class TalkProblemRaised(Problem, Event):
    """A problem heard in a talk; it has always said all of this."""

    TYPE = "talks.talk.problem-raised.v1"
    person: PersonId | None
    winds: tuple[Wind, ...]
    not_four_winds: bool
    topics: tuple[Topic, ...]
    key_issue: bool
    strongly_reflected: bool


class TalkVoided(Event):
    """`problems` are the keys of those it had raised; what became of them is told of it."""

    TYPE = "talks.talk.voided.v1"
    ends = True
    reason: Text
    request: str | None = None
    problems: tuple[str, ...] = ()


# -- request ---------------------------------------------------------------------------------------


class TalkRequested(Event):
    TYPE = "talks.request.made.v1"
    asker: PersonId | None
    outsider: Annotated[str | None, Sealed(part="outsider")] = None
    asked: PersonId
    about: Text | None = None
    recorded_by: PersonId


class TalkRequestCorrected(Event):
    TYPE = "talks.request.corrected.v1"
    asker: PersonId | None
    outsider: Annotated[str | None, Sealed(part="outsider")] = None
    asked: PersonId
    about: Text | None = None
    reason: Text


class TalkRequestAccepted(Event):
    TYPE = "talks.request.accepted.v1"
    remarks: Text | None = None


class TalkRequestRefused(Event):
    TYPE = "talks.request.refused.v1"
    reason: Text


class TalkRequestWithdrawn(Event):
    TYPE = "talks.request.withdrawn.v1"
    reason: Text | None = None


class RequestedTalkHeld(Event):
    TYPE = "talks.request.talk-held.v1"
    talk: str


class RequestedTalkVoided(Event):
    TYPE = "talks.request.talk-voided.v1"
    talk: str


class TalkRequestVoided(Event):
    TYPE = "talks.request.voided.v1"
    ends = True
    reason: Text


type TalkEvent = (
    TalkArranged
    | TalkRearranged
    | TalkCancelled
    | TalkHeld
    | TalkCorrected
    | TalkConfirmed
    | TalkDisputed
    | TalkReleased
    | TalkProblemRaised
    | TalkVoided
)
type RequestEvent = (
    TalkRequested
    | TalkRequestCorrected
    | TalkRequestAccepted
    | TalkRequestRefused
    | TalkRequestWithdrawn
    | RequestedTalkHeld
    | RequestedTalkVoided
    | TalkRequestVoided
)
