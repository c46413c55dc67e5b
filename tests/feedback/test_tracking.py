"""Opens and clicks of tracked mail: what is answered, what is kept, and what comes of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from postroom.domain.delivery import Grade
from postroom.domain.engagement import judged
from postroom.domain.forwarded import networks
from postroom.feedback import interpreter
from postroom.ledger import accounts, figures, hits
from postroom.ledger.db import connection
from postroom.ledger.hit_intake import NewHit, store_hits
from postroom.ledger.spool import spool
from postroom.ledger.spool_frames import frames
from postroom.ledger.timeline import timeline
from tests.fake_provider import FakeProvider, fake_provider
from tests.feedback.test_ledger_away import Outage, looking_after, outage, spooling
from tests.helpers import eventually
from tests.ledger.making import application, scalar
from tests.sending.posting import add_account, people, post_http, rows, sending, stages

__all__ = ["outage", "spooling"]

pytestmark = pytest.mark.usefixtures("ledger", "spooling")

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
PAGE = (
    '<body><a href="https://shop.example/?a=1&amp;b=\u00e4#c">1</a>'
    '<a href="https://b.example/">2</a></body>'
)
FIRST = "https://shop.example/?a=1&b=%C3%A4#c"
NOT_THERE = b"there is nothing at this address"


@dataclass
class Mail:
    """What one recipient got."""

    recipient: str
    links: list[str]
    """Paths of the links."""
    picture: str


def fetch(path: str, method: str = "GET", agent: str = BROWSER, who: str = "203.0.113.9") -> Any:
    """What the path answers."""
    client = Client(raise_request_exception=False)
    return client.generic(method, path, REMOTE_ADDR=who, HTTP_USER_AGENT=agent)


def long_ago() -> None:
    """The mail was handed over an hour before."""
    with connection() as conn:
        conn.execute("UPDATE handover SET begun_at = begun_at - interval '1 hour'")


@contextmanager
def delivered(count: int = 1, **made: Any) -> Iterator[list[Mail]]:
    """Tracked mail to so many, taken by the provider an hour ago."""
    with fake_provider() as provider:
        add_account(provider)
        track = {"opens": True, "clicks": True}
        post_http(people(count), made, text="Hi", html=PAGE, track=track)
        with sending():
            eventually(lambda: stages() == {"submitted": count})
        long_ago()
        yield list(mails(provider))


def mails(provider: FakeProvider) -> Iterator[Mail]:
    """Every copy that the provider took, with its fields filled in."""
    for asked in provider.asked:
        (page,) = [one["value"] for one in asked.body["content"] if one["type"] == "text/html"]
        for one in asked.body["personalizations"]:
            own = page
            for tag, value in one["substitutions"].items():
                own = own.replace(tag, value)
            paths = [urlsplit(url).path for url in re.findall(r'(?:href|src)="([^"]+)"', own)]
            yield Mail(one["to"][0]["email"], paths[:-1], paths[-1])


def judge() -> None:
    """Everything that was hit is judged."""
    while hits.judge_new(100, judged):
        pass


def events() -> list[tuple[Any, ...]]:
    return rows(
        "SELECT type, provider_class, url, remote_host, user_agent, machine, reason_basis"
        "  FROM event WHERE provider_type = 'hit' ORDER BY received_at"
    )


def test_a_link_leads_on_and_the_click_is_known() -> None:
    with delivered() as (mail,):
        answer = fetch(mail.links[0])
        judge()
    assert (answer.status_code, answer["Location"], answer.content) == (302, FIRST, b"")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    url = "https://shop.example/?a=1&b=\u00e4#c"
    assert events() == [("clicked", "GET", url, "203.0.113.9", BROWSER, False, "none")]
    assert stages() == {"delivered": 1}, "a person has clicked, so it has arrived"
    assert scalar("SELECT clicked_at FROM delivery") is not None
    entry = timeline(scalar("SELECT id FROM delivery"))[-1]
    assert (entry.said_by, entry.type, entry.machine) == ("postroom", "clicked", False)


def test_the_picture_is_one_and_the_open_is_known() -> None:
    with delivered() as (mail,):
        answer = fetch(mail.picture)
        judge()
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert events() == [("opened", "GET", None, "203.0.113.9", BROWSER, False, "none")]


def test_behind_a_proxy_of_ours_the_reader_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "POSTROOM_PROXIES", networks("127.0.0.0/8"))
    with delivered() as (mail,):
        client = Client(headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.7"})
        client.get(mail.picture, REMOTE_ADDR="127.0.0.1")
        judge()
    assert [one[3] for one in events()] == ["203.0.113.7"]


def test_a_machine_proves_nothing_about_the_delivery() -> None:
    with delivered() as (mail,):
        fetch(mail.picture, agent="Mozilla/5.0")
        assert fetch(mail.links[0], method="HEAD")["Location"] == FIRST
        judge()
    assert [(one[0], one[5], one[6]) for one in events()] == [
        ("opened", True, "agent"),
        ("clicked", True, "head"),
    ]
    assert stages() == {"submitted": 1}
    assert rows("SELECT DISTINCT grade FROM event WHERE provider_type = 'hit'") == [(Grade.NONE,)]


def test_a_later_hit_may_show_what_earlier_ones_were() -> None:
    page = "".join(f'<a href="https://a.example/{n}">x</a>' for n in range(3))
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(1), text="Hi", html=page, track={"opens": True, "clicks": True})
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
        long_ago()
        (mail,) = mails(provider)
    for link in mail.links[:2]:
        fetch(link)
        judge()
    assert stages() == {"delivered": 1}
    fetch(mail.links[2])
    with connection() as conn:
        conn.execute("UPDATE hit SET hit_at = (SELECT max(received_at) FROM event)")
        conn.execute(
            "UPDATE event SET received_at = (SELECT max(hit_at) FROM hit)"
            " WHERE provider_type = 'hit'"
        )
    judge()
    assert [(one[5], one[6]) for one in events()] == [(True, "burst")] * 3
    assert stages() == {"submitted": 1}


def test_a_report_counts_people_and_says_how_sure_it_is() -> None:
    name = "autumn"
    with delivered(4, communication=name) as (ann, bo, cy, _):
        for _ in range(3):
            fetch(ann.picture)
        fetch(ann.links[0])
        fetch(bo.picture, agent="")
        fetch(cy.picture, agent="Mozilla/5.0")
        judge()
    made = figures.report(application(), name)
    assert made is not None
    opened, clicked = made.engagement["opened"], made.engagement["clicked"]
    assert (opened.human, opened.at_most, opened.with_machines) == (1, 2, 3)
    assert (clicked.human, clicked.at_most, clicked.with_machines) == (1, 1, 1)
    assert made.balanced


def wrong(mail: Mail, other: Mail) -> list[str]:
    """Addresses that nobody made."""
    click, picture = mail.links[0], mail.picture
    whose, _, what = click.removeprefix("/t/c/").partition(".")
    return [
        f"/t/c/{what}.{whose}",
        f"/t/c/{whose}",
        f"/t/c/.{what}",
        f"/t/c/{whose}.{what[:-1]}",
        f"/t/c/{whose}.{what}A",
        f"/t/c/{whose}.{what}.gif",
        f"/t/c/{whose}.https://evil.example/",
        f"/t/c/{whose}.//evil.example",
        f"/t/c/{whose}.javascript:alert(1)",
        f"/t/c/{whose}.{what}%0d%0aSet-Cookie:%20a=b",
        f"/t/o/{whose}.{what}.gif",
        picture.replace("/t/o/", "/t/c/").removesuffix(".gif"),
        f"/t/c/{other.links[0].removeprefix('/t/c/').partition('.')[0]}x.{what}",
        "/t/c/x",
        "/t/o/x.gif",
    ]


def test_all_that_is_wrong_is_the_same_404_and_leads_nowhere() -> None:
    with delivered(2) as (ann, bo):
        for path in wrong(ann, bo):
            answer: HttpResponse = fetch(path)
            assert answer.status_code == 404, path
            assert NOT_THERE in answer.content
            assert "Location" not in answer
        bodies = {fetch(path).content for path in [*wrong(ann, bo), "/nowhere"]}
    assert len(bodies) == 1
    assert scalar("SELECT count(*) FROM hit") == 0


def test_the_copy_of_another_message_fits_no_link_of_this_one() -> None:
    with delivered() as (ann,):
        pass
    whose = ann.links[0].removeprefix("/t/c/").partition(".")[0]
    with fake_provider() as provider:
        accounts.change(
            "account", {"endpoint": f"http://127.0.0.1:{provider.port}", "api_key": "x"}
        )
        post_http(["bo@example.org"], text="Hi", html=PAGE, track={"clicks": True})
        with sending():
            eventually(lambda: provider.asked)
        asked = provider.asked[0].body
    (page,) = [one["value"] for one in asked["content"] if one["type"] == "text/html"]
    other = re.findall(r'href="[^"]+\.([^".]+)"', page)
    assert other
    assert fetch(f"/t/c/{whose}.{other[0]}").status_code == 404


def test_nothing_else_can_be_done_with_an_address() -> None:
    with delivered() as (mail,):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert fetch(mail.links[0], method=method).status_code == 405
            assert fetch(mail.picture, method=method).status_code == 405
    assert scalar("SELECT count(*) FROM hit") == 0


def test_a_link_leads_on_without_the_ledger_and_is_known_later(outage: Outage) -> None:
    with delivered() as (mail,):
        with outage():
            assert fetch(mail.links[0])["Location"] == FIRST
            assert fetch(mail.picture).status_code == 200
        with looking_after():
            eventually(lambda: scalar("SELECT count(*) FROM hit") == 2)
        judge()
    assert sorted(one[0] for one in events()) == ["clicked", "opened"]


def test_a_hit_that_two_ways_lead_into_the_ledger_is_one(outage: Outage) -> None:
    with delivered() as (mail,):
        with outage():
            fetch(mail.picture)
        (path,) = spool().waiting()
        items = [one.item for one in frames(path.read_bytes())]
        store_hits([one for one in items if isinstance(one, NewHit)])
        assert scalar("SELECT count(*) FROM hit") == 1
        judge()
        with looking_after():
            eventually(lambda: not spool().waiting())
        judge()
    assert [one[0] for one in events()] == ["opened"]


def test_an_anonymous_application_keeps_the_judgement_alone() -> None:
    application()
    with connection() as conn:
        conn.execute("UPDATE application SET anonymous_hits = true")
    with delivered() as (mail,):
        fetch(mail.picture, agent="Mozilla/5.0")
        judge()
        assert events() == [("opened", "GET", None, None, None, True, "agent")]
        interpreter.replay()
    assert events() == [("opened", "GET", None, None, None, True, "agent")]


def test_hits_are_judged_anew_by_a_replay() -> None:
    with delivered() as (mail,):
        fetch(mail.picture)
        judge()
        with connection() as conn:
            conn.execute("UPDATE event SET machine = true, grade = -1, verdict = NULL, rules = 0")
        interpreter.replay()
    assert [one[5:] for one in events()] == [(False, "none")]
    assert stages() == {"delivered": 1}


def test_only_the_first_thousand_hits_of_a_mail_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "KEPT_MAX", 2)
    with delivered() as (mail,):
        for _ in range(4):
            fetch(mail.picture)
            judge()
    assert len(events()) == 2
    assert rows("SELECT count FROM tally WHERE name = 'hits_too_many'") == [(2,)]
