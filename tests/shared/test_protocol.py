"""Messages are written and read as the NATS protocol says, whatever their headers hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import BadSubjectError
from nats.protocol.command import hpub_cmd, pub_cmd

from shared.broker import Broker, _header_lines, _written
from shared.decider import Unavailable

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1, max_size=30)
VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), max_size=60)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=8), st.binary(max_size=200))
def test_headers_come_out_as_they_went_in(headers: dict[str, str], body: bytes) -> None:
    block = b"NATS/1.0\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in headers.items())

    written = _written("a.b", "reply", body, headers)

    assert written == hpub_cmd("a.b", "reply", block + b"\r\n", body)
    assert _header_lines(block.partition(b"\r\n")[2]) == headers


def test_a_message_without_headers_is_a_plain_one() -> None:
    assert _written("a.b", "", b"{}", None) == pub_cmd("a.b", "", b"{}")
    assert _written("a.b", "", b"{}", {}) == pub_cmd("a.b", "", b"{}")


@pytest.mark.parametrize("break_", ["\r", "\n", "\r\n", "\r\nNats-Rollup: all"])
@pytest.mark.parametrize("where", ["name", "value"])
def test_a_header_that_would_begin_another_one_is_not_written(break_: str, where: str) -> None:
    headers = {f"a{break_}b": "c"} if where == "name" else {"a": f"b{break_}c"}

    with pytest.raises(ValueError, match="one line"):
        _written("a.b", "", b"", headers)


@pytest.mark.parametrize("name", ["", "a:b"])
def test_a_header_needs_a_name_that_is_one(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        _written("a.b", "", b"", {name: "c"})


def test_a_message_goes_somewhere() -> None:
    with pytest.raises(BadSubjectError):
        _written("", "", b"", None)


async def test_what_was_never_opened_can_be_closed() -> None:
    broker = Broker("nats://127.0.0.1:1", "campaign", "")

    await broker.close()

    with pytest.raises(Unavailable):
        await broker.round_trip()
