"""What talks does of its own accord: a request is answered by the talk it led to."""

from collections.abc import Iterator

from services.talks.domain.request import HoldRequestedTalk, VoidRequestedTalk
from services.talks.events import TalkHeld, TalkVoided
from shared.decider import Policy, Send
from shared.envelope import Record


def answer_requests(record: Record) -> Iterator[Send]:
    """A talk that was held answers the request it names; one declared void no longer does (R49)."""
    match record.event:
        case TalkHeld(request=str() as request):
            yield Send(request, HoldRequestedTalk, {"talk": record.stream})
        case TalkVoided(request=str() as request):
            yield Send(request, VoidRequestedTalk, {"talk": record.stream})
        case _:
            pass


answering = Policy("answer-requests", answer_requests, follows=(TalkHeld, TalkVoided))
