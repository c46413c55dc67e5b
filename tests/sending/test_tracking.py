"""What tracking makes of a content: links that lead back to what they were, and nothing else."""

import html
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.html_scan import attribute_value
from postroom.domain.template import MissingField, parse
from postroom.domain.tracking import Keys, Kind, read
from postroom.ledger.blobs import StoredMessage
from postroom.sending.messages import Message, parsed
from tests.sending.test_messages import NOW, body, stored

COPY = UUID(int=77)
BASE = "https://t.corp.example"


def message(page: str, made: dict[str, Any] | None = None, **fields: Any) -> Message:
    """A message with this HTML, to be tracked unless `made` changes how it is stored."""
    asked = {"track": {"opens": True, "clicks": True}} | fields
    return parsed(replace(kept(page, **asked), **(made or {})), NOW)


def kept(page: str, **fields: Any) -> StoredMessage:
    return replace(stored(1, body(html=page, **fields)), simulated=True, tracking_url=BASE)


def copy_of(one: Message, **values: str) -> str:
    """The HTML of one copy, as carriers fill it in."""
    assert one.content is not None
    assert one.content.html is not None
    return parse(one.content.html).render(one.values(COPY, values), html.escape)


def hrefs(page: str) -> list[str]:
    """Where a browser's links lead to."""
    return [attribute_value(one) for one in re.findall(r"""href=["']?([^"' >]*)""", page)]


def behind(address: str, kind: Kind = Kind.CLICK) -> str:
    """What an address of ours leads to."""
    token = address.removeprefix(f"{BASE}/t/{kind}/").removesuffix(".gif")
    followed = read(kind, token, [Keys.of(settings.POSTROOM_SECRET_KEY)])
    assert followed is not None, address
    assert (followed.message_id, followed.handover_id) == (UUID(int=1), COPY)
    return followed.url


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ('"https://shop.example/?a=1&amp;b=2#c"', "https://shop.example/?a=1&b=2#c"),
        ("'https://shop.example/?a=1&copy=2'", "https://shop.example/?a=1&copy=2"),
        ("https://shop.example/x", "https://shop.example/x"),
        ('" https://b\u00fccher.example/\u00e4 "', "https://b\u00fccher.example/\u00e4"),
        (f'"https://shop.example/{"x" * 1_979}"', f"https://shop.example/{'x' * 1_979}"),
        (r'"https://shop.example/\{{ a }}"', "https://shop.example/{{ a }}"),
    ],
)
def test_a_link_leads_to_exactly_what_it_had(written: str, url: str) -> None:
    one = message(f"<p>Hi</p><a href={written}>x</a>")
    assert [behind(address) for address in hrefs(copy_of(one))] == [url]


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://shop.example/" data-no-track>',
        '<a href="mailto:ann@corp.example?subject=a&amp;b">',
        '<a href="tel:+49123">',
        '<a href="#top">',
        '<a href="/relative">',
        '<a href="//shop.example/">',
        '<a href="javascript:alert(1)">',
        '<a href="https://user:pass@shop.example/">',
        '<a name="here">',
        '<!-- <a href="https://shop.example/"> -->',
        '<img src="https://shop.example/logo.png">',
    ],
)
def test_what_is_no_link_to_be_counted_is_left_alone(link: str) -> None:
    one = message(f"<p>{link}x</p>", track={"clicks": True})
    assert copy_of(one) == f"<p>{link}x</p>"


def test_all_copies_share_one_body_but_for_one_field() -> None:
    one = message('<a href="https://a.example">1</a><a href="https://b.example">2</a>')
    assert one.content is not None
    assert parse(one.content.html or "").keys == {"postroom.recipient"}
    assert one.keys == frozenset()


def test_the_picture_stands_at_the_end_of_the_body_and_shows_nothing() -> None:
    page = copy_of(message("<body>Hi</body></html>", track={"opens": True}))
    found = re.fullmatch(r'<body>Hi<img src="([^"]+)" alt="" [^>]*></body></html>', page)
    assert found is not None
    assert behind(found[1], Kind.OPEN) == ""


def test_a_link_with_fields_leads_to_what_the_copy_would_have_had() -> None:
    one = message(
        "<a href='https://shop.example/?who={{ who }}&amp;x=1'>{{ who }}</a>"
        "<a href={{ link }}>y</a>",
        track={"clicks": True},
    )
    assert one.keys == {"who", "link"}
    page = copy_of(one, who="A&B<'", link="https://own.example/?a&b")
    first, second = hrefs(page)
    assert behind(first) == "https://shop.example/?who=A&B<'&x=1"
    assert behind(second) == "https://own.example/?a&b"


def test_a_value_that_is_no_web_address_stays_what_it_was() -> None:
    one = message("<a href='{{ link }}'>y</a>", track={"clicks": True})
    assert hrefs(copy_of(one, link="mailto:a@corp.example?b&c")) == ["mailto:a@corp.example?b&c"]
    assert hrefs(copy_of(one, link="javascript:alert(1)")) == ["javascript:alert(1)"]


def test_a_link_without_its_value_cannot_be_made() -> None:
    with pytest.raises(MissingField):
        message("<a href='{{ link }}'>y</a>").values(COPY, {})


def test_the_provider_counts_nothing_of_what_we_count() -> None:
    content = message("<p>Hi</p>").content
    assert content is not None
    assert (content.track_opens, content.track_clicks) == (False, False)


def test_the_record_says_what_was_changed_and_proves_it() -> None:
    tracked = message('<a href="https://a.example">1</a>').tracked
    assert tracked is not None
    (change,) = tracked.changes
    assert change.startswith("text/html: 1 links and 1 picture lead through us")
    assert len(re.findall(r"[0-9a-f]{64}", change)) == 2


def tracks(one: Message) -> tuple[bool, bool, bool]:
    """Whether we track it, and whether its provider counts opens and clicks."""
    assert one.content is not None
    return one.tracked is not None, one.content.track_opens, one.content.track_clicks


def test_the_application_says_what_is_counted_where_the_message_does_not() -> None:
    both = {"track": ("opens", "clicks")}
    assert tracks(message("x", both, track=None)) == (True, False, False)
    assert tracks(message("x", both, track={})) == (False, False, False)
    assert tracks(message("x", track=None)) == (False, False, False)


def test_private_kinds_are_never_tracked_by_anybody() -> None:
    assert tracks(message("x", {"is_private": True})) == (False, False, False)
    private = {"is_private": True, "tracked_by_provider": True}
    assert tracks(message("x", private)) == (False, False, False)


def test_an_application_may_leave_it_to_the_provider() -> None:
    assert tracks(message("x", {"tracked_by_provider": True})) == (False, True, True)


def test_live_mail_never_leads_to_this_very_machine() -> None:
    local = {"tracking_url": None}
    assert tracks(message("x", local)) == (True, False, False)
    assert tracks(message("x", local | {"simulated": False})) == (False, True, True)


def test_mail_without_html_is_not_tracked() -> None:
    plain = stored(1, body(text="Hi", track={"opens": True}))
    assert tracks(parsed(replace(plain, simulated=True), NOW)) == (False, False, False)


URLS = st.from_regex(r"https://[a-z]{1,9}\.example/[ -~\u00e4\u20ac]{0,30}", fullmatch=True)


@given(st.lists(URLS.filter(lambda url: not set(url) & set("\\{")), max_size=5))
def test_whatever_the_urls_each_leads_back(urls: list[str]) -> None:
    page = "".join(f'<a href="{html.escape(url)}">x</a>' for url in urls)
    found = hrefs(copy_of(message(page, track={"clicks": True})))
    assert [behind(address) for address in found] == [url.rstrip() for url in urls]
