"""Whoever asks is answered, even where the answer is that there is too much to tell."""

import json

import httpx
import pytest

from services.gateway.problems import STATUS
from services.stack import Stack
from shared.broker import MAX_MESSAGE, Answer, Asked, Broker
from shared.decider import Event
from shared.embedded import Embedded
from shared.schemas import schema_of
from shared.settings import Settings

pytestmark = pytest.mark.live


async def test_a_schema_is_where_the_events_say(stack: Stack) -> None:
    event = Event.known["rectification.issue.opened.v1"]
    async with httpx.AsyncClient(base_url=stack.url) as client:
        told = await client.get(f"/schemas/{event.TYPE}.json")
        invented = await client.get("/schemas/rectification.issue.invented.v1.json")

    assert told.json() == schema_of(event)
    assert told.headers["Content-Type"] == "application/schema+json"
    assert (invented.status_code, invented.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("size", [MAX_MESSAGE + 1, 1024 * 1024, 2_000_000])
async def test_an_answer_that_is_too_large_is_an_error_and_not_silence(
    own_servers: tuple[Embedded, Settings], size: int
) -> None:
    settings = own_servers[1]
    troubles: list[str] = []
    serving = Broker(settings.nats_url, "feedback", settings.password("feedback"), troubles.append)
    asking = Broker(settings.nats_url, "gateway", settings.password("gateway"))

    async def as_long_as_asked(asked: Asked) -> Answer:
        return Answer(b"x" * int(asked.body))

    serving.serve("qry.*.feedback.*", "feedback", as_long_as_asked)
    await serving.open()
    await asking.open()
    try:
        fits = await asking.ask("qry.no1.feedback.opinions", b"%d" % MAX_MESSAGE, {})
        refused = await asking.ask("qry.no1.feedback.opinions", b"%d" % size, {})
        after = await asking.ask("qry.no1.feedback.opinions", b"1", {})
    finally:
        await asking.close()
        await serving.close()

    assert len(fits.body) == MAX_MESSAGE
    error = json.loads(refused.body)["error"]
    assert refused.headers["Nats-Service-Error-Code"] == error["code"] == "too-large"
    assert STATUS[error["code"]] == 413
    assert not error["title"]["zh"].isascii()
    assert error["title"]["en"].isascii()
    assert after.body == b"x"
    assert troubles == [f"qry.no1.feedback.opinions: an answer of {size} bytes"]
