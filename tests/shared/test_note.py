"""Notes, keys and checkpoints, against what is published of the format."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.merkle import EMPTY
from shared.note import (
    COSIGNATURE,
    BadSignature,
    Checkpoint,
    NotANote,
    Note,
    PublicKey,
    SigningKey,
    signatures,
)

PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6K"
    "E6RyyBwJnAM=\n"
)
"""Key and note of the documentation of golang.org/x/mod/sumdb/note."""
BEHIND_THE_SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501 -- as published
"""The example of C2SP tlog-cosignature."""

LOG = SigningKey.of("taizhang/log", bytes(32))
WITNESS = SigningKey.of("witness.example/1", bytes([1] * 32), type_=COSIGNATURE)
CHECKPOINT = Checkpoint("taizhang/log", 7, bytes(range(32)))


def test_the_published_note_is_signed_as_published() -> None:
    key = SigningKey.read(PRIVATE)
    assert str(key.public) == PUBLIC
    assert key.text() == PRIVATE
    assert key.sign(TEXT) == SIGNATURE
    note = Note.read(f"{TEXT}\n{SIGNATURE}".encode())
    assert note.text == TEXT
    assert note.signers([PublicKey.read(PUBLIC)]) == [key.public]


def test_the_published_checkpoint_is_read() -> None:
    note = Note.read(BEHIND_THE_SOFA.encode())
    said = Checkpoint.read(note.text)
    assert (said.origin, said.size) == ("example.com/behind-the-sofa", 20852163)
    assert said.text() == note.text
    assert [s.name for s in note.signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert [len(s.signature) for s in note.signatures] == [64, 72]


def test_a_checkpoint_is_signed_by_the_log_and_by_witnesses() -> None:
    note = Note.read(CHECKPOINT.signed(LOG, WITNESS, at=1_700_000_000).encode())
    assert Checkpoint.read(note.text) == CHECKPOINT
    assert note.signers([LOG.public, WITNESS.public]) == [LOG.public, WITNESS.public]
    assert note.signers([WITNESS.public]) == [WITNESS.public]
    assert signatures(WITNESS.sign(note.text, at=1))[0].id == WITNESS.public.id


def test_a_stranger_proves_nothing() -> None:
    stranger = SigningKey.of("taizhang/log", bytes([2] * 32))
    note = Note.read(CHECKPOINT.signed(stranger).encode())
    with pytest.raises(BadSignature, match="no key we know"):
        note.signers([LOG.public])


def test_the_time_of_a_cosignature_is_signed() -> None:
    line = WITNESS.sign(CHECKPOINT.text(), at=5)
    raw = bytearray(base64.b64decode(line.split()[2]))
    raw[11] ^= 1
    moved = f"— {WITNESS.public.name} {base64.b64encode(raw).decode()}\n"
    note = Note.read(f"{CHECKPOINT.text()}\n{moved}".encode())
    with pytest.raises(BadSignature, match="not signed by"):
        note.signers([WITNESS.public])


@given(st.data())
def test_one_changed_byte_of_a_checkpoint_is_never_taken_for_it(given: st.DataObject) -> None:
    stored = bytearray(CHECKPOINT.signed(LOG).encode())
    place = given.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= given.draw(st.integers(1, 255))
    with pytest.raises((NotANote, BadSignature)):
        Note.read(bytes(stored)).signers([LOG.public])


@given(st.binary(max_size=300))
def test_whatever_is_read_is_a_note_or_is_not(stored: bytes) -> None:
    for text in (stored, CHECKPOINT.text().encode() + b"\n" + stored):
        try:
            note = Note.read(text)
        except NotANote:
            continue
        assert note.signatures


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n1\n",
        "log\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "log\n1\nCsUYapGG\n",
        "log\n1\n!\n",
    ],
)
def test_what_is_no_checkpoint_is_told(text: str) -> None:
    with pytest.raises(NotANote):
        Checkpoint.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PRIVATE,
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC.replace("PeterNeumann", "Peter"),
        PUBLIC.replace("ARpc", "AhpC"),
        PUBLIC[:-4],
    ],
)
def test_what_is_no_public_key_is_told(text: str) -> None:
    with pytest.raises(NotANote):
        PublicKey.read(text)


@pytest.mark.parametrize("text", ["", PUBLIC, PRIVATE[:-4], PRIVATE.replace("c74f", "c74e")])
def test_what_is_no_private_key_is_told(text: str) -> None:
    with pytest.raises(NotANote):
        SigningKey.read(text)


def test_a_private_key_is_not_shown_by_accident() -> None:
    secret = LOG.text().rpartition("+")[2]
    assert secret not in repr(LOG) + str(LOG) + repr(LOG.public)


def test_a_key_has_a_proper_name() -> None:
    for name in ("", "a b", "a+b", "a\n"):
        with pytest.raises(NotANote):
            SigningKey.of(name, bytes(32))
    with pytest.raises(NotANote):
        SigningKey.of("log", bytes(31))


def test_an_empty_log_has_a_checkpoint_too() -> None:
    assert Checkpoint.read(Checkpoint("log", 0, EMPTY).text()).size == 0
