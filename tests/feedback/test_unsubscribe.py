"""The page for refusing mail: only a POST acts, at once, on one kind of mail, and can be undone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from urllib.parse import urlsplit

import pytest
from django.test import Client

from postroom.domain.engagement import judged
from postroom.domain.mail_kind import MailKind
from postroom.ledger import hits, suppressions
from tests.fake_provider import fake_provider
from tests.fake_smtp import fake_smtp
from tests.feedback.test_ledger_away import Outage, looking_after, outage, spooling
from tests.helpers import eventually
from tests.ledger.making import scalar
from tests.sending.posting import (
    add_account,
    people,
    post_http,
    post_smtp,
    rows,
    sending,
    stages,
)

__all__ = ["outage", "spooling"]

pytestmark = pytest.mark.usefixtures("ledger", "spooling")

(ANN,) = people(1)
MARKETING = {"kind": MailKind.MARKETING}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def judge() -> None:
    while hits.judge_new(100, judged):
        pass


@contextmanager
def marketed(**body: str) -> Iterator[str]:
    """The path of the page of a marketing mail, as its header names it."""
    with fake_smtp() as server:
        add_account(server=server)
        post_http([ANN], MARKETING, **({"text": "Buy."} | body))
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
        mail = message_from_bytes(server.taken[0].data)
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found = re.fullmatch(r"<(http://127\.0\.0\.1:\d+/t/u/[^>]+)>", mail["List-Unsubscribe"])
        assert found is not None
        yield urlsplit(found[1]).path


def standing() -> list[tuple[str, str | None]]:
    """Reason and kind of what stands against the recipient."""
    return [(one.reason, one.kind) for one in suppressions.all_standing(ANN)]


def test_one_click_stops_mail_of_this_kind_at_once_also_what_waits() -> None:
    with marketed() as path:
        answer = Client(enforce_csrf_checks=True).post(path, ONE_CLICK)
        assert answer.status_code == 200
        judge()
        assert standing() == [("unsubscribed", "marketing")]
        post_http([ANN], MARKETING, text="Buy more.")
        post_http([ANN], text="Your bill.")
        with sending():
            eventually(lambda: stages() == {"delivered": 1, "submitted": 1, "suppressed": 1})
            (suppression,) = suppressions.all_standing(ANN)
            assert suppression.event_digest is not None
            assert suppression.receipt_id is None, "no notification told of it"


def test_mail_that_waits_already_is_stopped_too() -> None:
    with marketed() as path:
        post_http([ANN], MARKETING, text="Buy more.")
        Client().post(path, ONE_CLICK)
        judge()
        with sending():
            eventually(lambda: stages() == {"delivered": 1, "suppressed": 1})


def test_looking_at_the_page_never_acts() -> None:
    with marketed() as path:
        for method in ("GET", "HEAD"):
            answer = Client().generic(method, f"{path}?confirm=1&List-Unsubscribe=One-Click")
            assert answer.status_code == 200
        judge()
    assert standing() == []
    assert rows("SELECT count(*) FROM event WHERE provider_type = 'hit'") == [(0,)]


def test_the_page_has_one_button_and_nothing_that_runs_or_loads() -> None:
    with marketed() as path:
        answer = Client().get(path)
    page = answer.content.decode()
    assert page.count("<button") == page.count("<form") == 1
    assert not re.search(r"<script|<link|<img|<style| on\w+=|style=|https?://|refresh", page)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not answer.cookies


def test_the_button_acts_and_the_next_one_takes_it_back() -> None:
    with marketed() as path:
        assert b"Subscribe again" in Client().post(path, {"confirm": "1"}).content
        judge()
        assert standing() == [("unsubscribed", "marketing")]
        assert b"subscribed again" in Client().post(path, {"undo": "1"}).content
        judge()
    assert standing() == []
    types = rows("SELECT type, machine, reason_basis FROM event WHERE provider_type = 'hit'")
    assert sorted(types) == [("resubscribed", False, "asked"), ("unsubscribed", False, "asked")]


def test_twice_is_once() -> None:
    with marketed() as path:
        for _ in range(3):
            Client().post(path, ONE_CLICK)
        judge()
    assert standing() == [("unsubscribed", "marketing")]


def test_it_is_taken_without_the_ledger_and_acts_when_that_is_back(outage: Outage) -> None:
    with marketed() as path:
        with outage():
            assert Client().post(path, ONE_CLICK).status_code == 200
        with looking_after():
            eventually(lambda: scalar("SELECT count(*) FROM hit") == 1)
        judge()
    assert standing() == [("unsubscribed", "marketing")]


def test_an_address_that_nobody_made_is_404_and_stops_nobody() -> None:
    with marketed() as path:
        for wrong in (path[:-1], f"{path}A", path.replace("/u/", "/c/"), "/t/u/x", "/t/u/x.y"):
            answer = Client(raise_request_exception=False).post(wrong, ONE_CLICK)
            assert answer.status_code in (404, 405), wrong
        judge()
    assert standing() == []


def test_a_text_may_show_the_page_and_the_link_is_no_click() -> None:
    link = '<a href="{{ postroom.unsubscribe }}">Unsubscribe</a>'
    with fake_provider() as provider:
        add_account(provider)
        post_http([ANN], text="{{ postroom.unsubscribe }}", html=link, track={"clicks": True})
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    body = provider.asked[0].body
    values = body["personalizations"][0]["substitutions"].values()
    assert {urlsplit(one).path[:5] for one in values} == {"/t/u/"}
    assert "List-Unsubscribe" not in body["headers"]


def test_marketing_mail_by_smtp_gets_the_fields_and_keeps_its_own() -> None:
    plain = b"From: a@example.com\r\nSubject: Hi\r\n\r\nBuy.\r\n"
    own = b"List-Unsubscribe: <mailto:out@example.com>\r\n" + plain
    with fake_smtp() as server:
        add_account(server=server)
        for data in (plain, own):
            post_smtp([ANN], data)
        rows("UPDATE message SET kind = 'marketing' RETURNING id")
        with sending():
            eventually(lambda: stages() == {"submitted": 2})
    found = sorted(message_from_bytes(one.data)["List-Unsubscribe"] for one in server.taken)
    assert found[0].startswith("<http://127.0.0.1:")
    assert found[1] == "<mailto:out@example.com>"
    assert all(one.data.endswith(plain) for one in server.taken)


def test_transactional_mail_has_no_such_fields() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_http([ANN], text="Your bill.")
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    assert message_from_bytes(server.taken[0].data)["List-Unsubscribe"] is None


def test_where_no_road_has_own_headers_the_record_says_so() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http([ANN], MARKETING, text="Buy.")
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    [(changes,)] = rows("SELECT changes FROM attempt")
    assert changes == ["no List-Unsubscribe: this road has no header for each copy"]
