"""How somebody rates themselves on five dimensions before and after the study (R30); optional."""

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from pydantic import ConfigDict, Field

from services.campaign.directory import Directory
from services.study.domain import AlreadyRecorded, OnlyForOneself, must_be_known
from services.study.events import (
    Phase,
    Scores,
    SelfRatingCorrected,
    SelfRatingEvent,
    SelfRatingRecorded,
    SelfRatingVoided,
)
from shared.decider import Command, Decider, OutOfOrder, PersonId
from shared.marks import Id, Prose

# -- Commands ------------------------------------------------------------------------------------

Score = Annotated[int, Field(ge=1, le=5)]


class ScoresAsked(Scores):
    """Scores as a sender gives them: 1 to 5 each."""

    model_config = ConfigDict(extra="forbid", strict=True)
    mass_line_theory: Score
    mass_line_history: Score
    public_concerns: Score
    own_detachment: Score
    working_methods: Score

    def scores(self) -> Scores:
        """The scores as they are stored."""
        return Scores(**dict(self))


class RecordSelfRating(Command):
    """Rate oneself; nobody does it for another."""

    zh = "登记自评"
    allowed = frozenset({"person"})
    creates = True
    campaign: Id
    phase: Phase
    scores: ScoresAsked

    def unique(self) -> tuple[str, ...]:
        """One stream per campaign, person and phase."""
        return (self.campaign, self.by, self.phase)


class CorrectSelfRating(Command):
    """Put one's own rating right."""

    zh = "更正自评"
    allowed = frozenset({"person"})
    scores: ScoresAsked
    reason: Prose


class VoidSelfRating(Command):
    """Take one's own rating back; it may be given anew."""

    zh = "撤回自评"
    allowed = frozenset({"person"})
    reason: Prose


type SelfRatingCommand = RecordSelfRating | CorrectSelfRating | VoidSelfRating

# -- States --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unrated:
    """Not rated."""


@dataclass(frozen=True)
class Rated:
    """How somebody rated themselves."""

    campaign: str
    person: PersonId
    phase: Phase
    scores: Scores


@dataclass(frozen=True)
class Voided:
    """Taken back; counts nowhere."""

    person: PersonId
    reason: str


type SelfRating = Unrated | Rated | Voided

# -- Deciding ------------------------------------------------------------------------------------


def decide(
    command: SelfRatingCommand, rating: SelfRating, directory: Directory
) -> SelfRatingEvent | None:
    """One row per thing that may happen; what is not listed is refused."""
    rating = directory.roster.settled(rating)
    if not isinstance(rating, Unrated) and command.by != rating.person:
        raise OnlyForOneself
    match command, rating:
        case RecordSelfRating(by=person, campaign=campaign, phase=phase), Unrated() | Voided():
            must_be_known(campaign, directory)
            return SelfRatingRecorded(
                campaign=campaign, person=person, phase=phase, scores=command.scores.scores()
            )
        case RecordSelfRating(campaign=campaign, phase=phase, scores=scores), Rated():
            if (campaign, phase) != (rating.campaign, rating.phase):
                raise OutOfOrder
            if scores.scores() != rating.scores:
                raise AlreadyRecorded
            return None
        case CorrectSelfRating(scores=scores, reason=reason), Rated():
            if scores.scores() == rating.scores:
                return None
            return SelfRatingCorrected(scores=scores.scores(), reason=reason)
        case VoidSelfRating(reason=reason), Rated():
            return SelfRatingVoided(reason=reason)
        case VoidSelfRating(reason=reason), Voided(reason=before) if reason == before:
            return None
        case _:
            raise OutOfOrder


# -- Evolving ------------------------------------------------------------------------------------


def evolve(rating: SelfRating, event: SelfRatingEvent) -> SelfRating:
    """What happened, happened: no rules here."""
    match event:
        case SelfRatingRecorded():
            return Rated(**dict(event))
        case SelfRatingCorrected(scores=scores) if isinstance(rating, Rated):
            return replace(rating, scores=scores)
        case SelfRatingVoided(reason=reason) if isinstance(rating, Rated):
            return Voided(rating.person, reason)
        case SelfRatingCorrected() | SelfRatingVoided():
            return rating
        case _:
            assert_never(event)


decider: Decider[SelfRatingCommand, SelfRatingEvent, SelfRating, Directory] = Decider(
    "self-rating", Unrated(), decide, evolve, SelfRatingCommand, SelfRatingEvent, SelfRating
)
