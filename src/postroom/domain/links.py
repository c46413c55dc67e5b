"""The links of an HTML text: found, and replaced without another byte being changed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from postroom.domain.html_scan import Span, Tag, attribute_value, tags

UNTRACKED = "data-no-track"
"""The attribute of a link that is to be left alone."""

_AROUND = "".join(map(chr, range(0x21)))
_FOLDS = re.compile("[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Page:
    """What of an HTML text may be replaced or added to."""

    links: tuple[Span, ...]
    """The values of `href` of `<a>` that are not marked to be left alone, in order."""
    body_end: int
    """Where the body ends: before its end tag, or at the end of the text."""


def page_of(html: str) -> Page:
    """The links of the text, and where its body ends."""
    found = list(tags(html))
    ends = [tag.start for tag in found if tag.name == "/body"]
    return Page(tuple(_links(found)), ends[-1] if ends else len(html))


def _links(found: list[Tag]) -> Iterator[Span]:
    for tag in found:
        value = tag.attributes.get("href")
        if tag.name == "a" and value is not None and UNTRACKED not in tag.attributes:
            yield value


def url_of(written: str) -> str:
    """The URL that an attribute means, read as the WHATWG standards of HTML and of URLs do.

    They replace references, and leave out the space around it, and tabs and line ends inside:
    some mailers fold long URLs.
    """
    return _FOLDS.sub("", attribute_value(written).strip(_AROUND))


def replaced(html: str, page: Page, link: Callable[[str], str], at_end: str = "") -> str:
    """The text with each link as `link` gives it, and more at the end of the body."""
    pieces: list[str] = []
    place = 0
    for span in page.links:
        pieces += (html[place : span.start], link(html[span.start : span.end]))
        place = span.end
    if place <= page.body_end:
        return "".join([*pieces, html[place : page.body_end], at_end, html[page.body_end :]])
    # A link after the end of the body: browsers show it, and a picture after it as well.
    return "".join([*pieces, html[place:], at_end])
