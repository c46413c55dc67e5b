"""Reading SMTP from a socket: CRLF is the only line end, CRLF.CRLF the only end of a mail.

Servers that also take a bare CR or LF for a line end let a second, smuggled mail hide inside a
first one (CVE-2023-51764 and its relatives). Here either is an error wherever it stands.
"""

import asyncio

END_OF_DATA = b"\r\n.\r\n"
"""RFC 5321, section 4.1.1.4."""
CHUNK_BYTES = 256 * 1024


class BareLineEnd(Exception):
    """A CR without LF or an LF without CR (RFC 5321, section 2.3.8)."""


class TooLarge(Exception):
    """The mail has more bytes than were promised to be taken; it was read to its end."""


class SmtpStream(asyncio.StreamReader):
    """A stream of command lines and mails."""

    async def read_command(self) -> bytes:
        """One command line with its CRLF; raises BareLineEnd."""
        line = await self.readuntil(b"\n")
        if not line.endswith(b"\r\n") or line.count(b"\r") > 1:
            raise BareLineEnd
        return line

    async def read_mail(self, bytes_max: int) -> bytes:
        """The mail that follows a 354, without the dots that made it transparent.

        What follows it stays to be read. Raises BareLineEnd as soon as there is one, TooLarge
        at the end of the mail, and IncompleteReadError when the client goes away.
        """
        # The CRLF that ended the DATA command also begins the end of an empty mail.
        mail = bytearray(b"\r\n")
        half = b""
        too_large = False
        while True:
            chunk = await self.read(CHUNK_BYTES)
            if not chunk:
                raise asyncio.IncompleteReadError(bytes(mail), None)
            block, half = _whole_line_ends(half + chunk)
            searched = max(0, len(mail) - len(END_OF_DATA))
            mail += block
            end = mail.find(END_OF_DATA, searched)
            _refuse_bare(mail, searched, len(mail) if end < 0 else end)
            if end >= 0:
                break
            if len(mail) > bytes_max:
                too_large = True
                del mail[: -len(END_OF_DATA)]
        self._give_back(bytes(mail[end + len(END_OF_DATA) :]) + half)
        if too_large or end > bytes_max:
            raise TooLarge
        return bytes(mail[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    def discard(self) -> None:
        """Forget what was received and not yet read."""
        self._buffer.clear()  # type: ignore[attr-defined]

    def _give_back(self, unread: bytes) -> None:
        # asyncio has no public way to do this; its own TLS upgrade uses the same attribute.
        self._buffer[:0] = unread  # type: ignore[attr-defined]


def _whole_line_ends(received: bytes) -> tuple[bytes, bytes]:
    """What can be judged now, and a CR at the end whose LF may be on its way."""
    if received.endswith(b"\r"):
        return received[:-1], b"\r"
    return received, b""


def _refuse_bare(mail: bytearray, start: int, end: int) -> None:
    """`start` and `end` never stand inside a CRLF, unless a bare one is there already."""
    begin = start + 1 if mail[start : start + 1] == b"\n" else start
    pairs = mail.count(b"\r\n", begin, end)
    if mail.count(b"\r", begin, end) != pairs or mail.count(b"\n", begin, end) != pairs:
        raise BareLineEnd
