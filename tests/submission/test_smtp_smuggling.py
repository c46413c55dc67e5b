"""SMTP smuggling: a second mail hidden in a first one by an end of data that only some servers see.

CVE-2023-51764 (Postfix), -51765 (sendmail), -51766 (Exim), CVE-2024-27305 (aiosmtpd).
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.submission.smtp_stream import BareLineEnd, SmtpStream
from tests.submission.door import MAIL, Door, message_count

SEQUENCES = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
)
"""The ten known false ends of data."""

SMUGGLED = (
    b"MAIL FROM:<evil@corp.example>\r\nRCPT TO:<victim@sim.example>\r\nDATA\r\n"
    b"From: boss@corp.example\r\n\r\nPay at once.\r\n.\r\n"
)


@pytest.mark.parametrize("sequence", SEQUENCES, ids=repr)
def test_a_false_end_of_data_is_refused_and_the_session_dropped(
    relay_door: Door, sequence: bytes
) -> None:
    with relay_door.talk() as talk:
        talk.begin_mail()
        talk.send(MAIL.removesuffix(b"\r\n") + sequence + SMUGGLED)
        assert talk.reply().startswith("521 5.5.2")
        assert talk.rest() == b""
    assert message_count() == 0


async def read(pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The mail that the pieces hold, and what follows it."""
    stream = SmtpStream()
    reading = asyncio.create_task(stream.read_mail(10_000))
    for piece in pieces:
        stream.feed_data(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    stream.feed_eof()
    mail = await reading
    return mail, await stream.read()


def splits(data: bytes) -> list[list[bytes]]:
    """Cut in two at every byte, and once at all of them."""
    halves = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [*halves, [data[at : at + 1] for at in range(len(data))]]


@pytest.mark.parametrize("sequence", SEQUENCES, ids=repr)
def test_a_false_end_is_seen_wherever_the_packets_are_cut(sequence: bytes) -> None:
    for pieces in splits(b"From: a\r\n\r\nbody" + sequence + b"QUIT\r\n.\r\n"):
        with pytest.raises(BareLineEnd):
            asyncio.run(read(pieces))


def test_the_true_end_is_seen_wherever_the_packets_are_cut() -> None:
    for pieces in splits(b"a\r\n..\r\n...b\r\n.\r\nQUIT\r\n"):
        assert asyncio.run(read(pieces)) == (b"a\r\n.\r\n..b\r\n", b"QUIT\r\n")


def test_a_mail_may_be_empty_or_begin_with_a_dot() -> None:
    for pieces in splits(b".\r\nNOOP\r\n"):
        assert asyncio.run(read(pieces)) == (b"", b"NOOP\r\n")
    for pieces in splits(b"..\r\n.\r\n"):
        assert asyncio.run(read(pieces)) == (b".\r\n", b"")


def test_a_bare_line_end_after_the_mail_is_not_the_mails_fault() -> None:
    assert asyncio.run(read([b"a\r\n.\r\nNO\nOP\r"])) == (b"a\r\n", b"NO\nOP\r")


LINES = st.lists(st.binary(max_size=20).filter(lambda line: not {10, 13} & set(line)), max_size=8)


@given(LINES, st.data())
def test_any_mail_comes_out_as_it_was_before_it_was_made_transparent(
    lines: list[bytes], data: st.DataObject
) -> None:
    mail = b"".join(line + b"\r\n" for line in lines)
    sent = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)
    sent += b".\r\nNOOP\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True) if b > a]
    assert asyncio.run(read(pieces)) == (mail, b"NOOP\r\n")
