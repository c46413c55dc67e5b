"""Where in the bytes one recipient's part of a notification stands, when it speaks of several."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from postroom.providers.base import Heard


@dataclass(frozen=True, slots=True)
class Slices:
    """The places of recipients in a body."""

    body: bytes

    def of(self, heard: Sequence[Heard]) -> Iterator[Heard]:
        """The events with their own slices; a single one is told by the whole body.

        A notification of several recipients is of a mail that was not ours: our calls have one.
        What is shown of it to each is the own address and nobody else's.
        """
        if len(heard) < 2:
            yield from heard
            return
        place, lost = 0, False
        for number, one in enumerate(heard):
            written = _written(one.recipient)
            found = -1 if lost or not written else self.body.find(written, place)
            # After one that is not written as expected nobody searches on: that keeps time linear.
            lost = found < 0
            if lost:
                yield replace(one, start=place + number, length=0)
            else:
                place = found + len(written)
                yield replace(one, start=found, length=len(written))


def _written(address: str | None) -> bytes:
    """The address as JSON writes it, without the quotes."""
    return json.dumps(address or "", ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
