"""What recipients get, by every provider: their own mail, whole, and nobody else's."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.conformance.house import House, Mailing
from tests.conformance.mails import CALENDAR, INVITATION, PLAIN, SIGNED
from tests.conformance.providers import NATIVE, WITH_FACE
from tests.sending.posting import PACE, sending

PDF = b"%PDF-1.7 \x00\xff" * 40
TRACKED = (
    "<html><body><p>Gr\u00fc\u00dfe</p>"
    '<a href="https://shop.example/\u00e4?a=1&amp;b=%20#c">1</a>'
    "<a href='https://b.example/' data-no-track>2</a></body></html>"
)
TARGET = "https://shop.example/%C3%A4?a=1&b=%20#c"
LOGO = b"\x89PNG\r\n\x1a\n\x00" * 40


def attached(filename: str, content_type: str, content: bytes, **more: str) -> dict[str, str]:
    """An attachment as the HTTP door takes it."""
    encoded = base64.b64encode(content).decode()
    return {"filename": filename, "content_type": content_type, "content": encoded} | more


def arrives(mailing: Mailing) -> bool:
    """Whether the mail was sent and is known to have arrived; else it is held, and untouched."""
    with sending():
        mailing.wait_until("held", "delivered")
    (delivery,) = mailing.deliveries().values()
    if delivery.state == "delivered":
        return True
    assert delivery.reason == "needs_raw_carrier", delivery
    assert mailing.copies() == {delivery.recipient: []}
    return False


def test_every_provider_that_we_send_by_has_a_face() -> None:
    assert WITH_FACE == NATIVE


def test_a_single_mail_arrives_and_is_known_to_have(house: House) -> None:
    ann = "delivered@single.sim.example"
    mailing = house.post([ann], text="Hello.", html="<p>Hello.</p>")
    with sending():
        mailing.wait_until_told()
    assert mailing.states() == {ann: "delivered"}
    seen = mailing.seen(ann)
    assert seen.subject == "New prices"
    assert seen.texts == {"text/plain": "Hello.", "text/html": "<p>Hello.</p>"}


@pytest.mark.parametrize("over", [0, 1])
def test_a_batch_at_the_limit_and_one_over_gives_everybody_the_own_mail_alone(
    house: House, over: int
) -> None:
    limit = house.roads()[0].batch_size
    people = [f"silent+{number}@batch{over}.sim.example" for number in range(limit + over)]
    with sending(replace(PACE, claim_max=limit + over)):
        # A sender claims as much as may be once it has seen that calls hold more than one.
        warm = house.post([f"silent+{number}@warm{over}.sim.example" for number in range(limit)])
        warm.wait_until("submitted")
        mailing = house.post(
            [{"email": one, "vars": {"name": f"<N{n}>"}} for n, one in enumerate(people)],
            subject="For {{ name }}",
            text="Dear {{ name }}.",
            html="<p>Dear {{ name }}.</p>",
        )
        mailing.wait_until("submitted")
    assert sorted(count for _, count, _ in mailing.attempts()) == [1] * over + [limit]
    copies = mailing.copies()
    assert copies.keys() == set(people)
    for number, person in enumerate(people):
        (taken,) = copies[person]
        assert (taken.copy.to, taken.copy.cc) == ((person,), ())
        seen = house.digests[taken.copy.digest]
        assert seen.subject == f"For <N{number}>"
        assert seen.texts["text/plain"] == f"Dear <N{number}>."
        assert seen.texts["text/html"] == f"<p>Dear &lt;N{number}&gt;.</p>"


def test_names_and_subjects_in_any_script_arrive_and_so_does_mail_to_such_a_domain(
    house: House,
) -> None:
    zoe = {
        "email": "delivered@bücher.sim.example",
        "name": 'Zoë "Z" Łukasz, 山田',
        "vars": {"n": "Zoë"},
    }
    mailing = house.post(
        [zoe],
        **{"from": {"email": "desk@company.example", "name": "Grüße, Büro"}},
        subject="Grüße an {{ n }} \N{EM DASH} 山田 \N{PARTY POPPER}",
        text="Für {{ n }}: 5 €",
    )
    with sending():
        mailing.wait_until_told()
    assert mailing.states() == {"delivered@xn--bcher-kva.sim.example": "delivered"}
    seen = mailing.seen("delivered@xn--bcher-kva.sim.example")
    assert seen.subject == "Grüße an Zoë \N{EM DASH} 山田 \N{PARTY POPPER}"
    assert seen.texts["text/plain"] == "Für Zoë: 5 €"


def test_attachments_arrive_as_they_are(house: House) -> None:
    ann = "delivered@attached.sim.example"
    files = [
        attached("Preise €.pdf", "application/pdf", PDF),
        attached("prices.csv", "text/csv", b"a;b\r\n1;2\r\n"),
    ]
    mailing = house.post([ann], attachments=files)
    with sending():
        mailing.wait_until_told()
    seen = mailing.seen(ann)
    assert seen.file("Preise €.pdf").content == PDF
    assert seen.file("prices.csv").content == b"a;b\r\n1;2\r\n"
    assert len(seen.files) == 2


def test_an_inline_image_is_found_by_the_page_that_shows_it(house: House) -> None:
    ann, html = "delivered@inline.sim.example", '<p><img src="cid:logo.png"></p>'
    image = attached("logo.png", "image/png", LOGO, content_id="logo.png")
    mailing = house.post([ann], html=html, attachments=[image])
    with sending():
        mailing.wait_until_told()
    seen = mailing.seen(ann)
    assert seen.texts["text/html"] == html
    assert seen.file("logo.png").content == LOGO


def test_a_mail_from_the_smtp_door_arrives_byte_for_byte_or_is_held(house: House) -> None:
    ann = "delivered@raw.sim.example"
    mailing = house.hand_in([ann], b"Bcc: hidden@company.example\r\n" + PLAIN)
    assert arrives(mailing) == house.takes_finished_mails()
    for taken, raw in zip(mailing.copies()[ann], mailing.raws(ann), strict=True):
        assert raw.endswith(PLAIN)
        on_top = message_from_bytes(raw.removesuffix(PLAIN), policy=policy.default)
        assert "(Postroom) with ESMTP id" in on_top["Received"]
        del on_top["Received"]
        assert all(str(taken.copy.handover) in value for value in on_top.values())


def test_an_invitation_from_the_smtp_door_stays_one_or_is_held(house: House) -> None:
    ann = "delivered@meeting.sim.example"
    mailing = house.hand_in([ann], INVITATION)
    assert arrives(mailing) == house.leaves_structure()
    assert all(one.endswith(INVITATION) for one in mailing.raws(ann))


def test_an_invitation_from_the_http_door_is_never_a_mere_attachment(house: House) -> None:
    ann = "delivered@invited.sim.example"
    calendar = attached("invite.ics", "text/calendar; method=REQUEST", CALENDAR)
    mailing = house.post([ann], text="Please come.", attachments=[calendar])
    assert arrives(mailing) == house.leaves_structure()
    for raw in mailing.raws(ann):
        mail = message_from_bytes(raw, policy=policy.default)
        assert mail.get_content_type() == "multipart/alternative"
        invitation = list(mail.iter_parts())[-1]
        assert invitation.get_content_type() == "text/calendar"
        assert invitation["Content-Type"].params["method"] == "REQUEST"
        assert invitation.get_content_disposition() is None
        assert invitation.get_payload(decode=True) == CALENDAR


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signed_mail_is_never_altered(house: House, kind: str) -> None:
    ann = "delivered@signed.sim.example"
    mailing = house.hand_in([ann], SIGNED[kind])
    assert arrives(mailing) == house.leaves_structure()
    assert all(one.endswith(SIGNED[kind]) for one in mailing.raws(ann))


def by_smtp(house: House, people: list[str]) -> Mailing:
    """Shows others than its recipients."""
    return house.hand_in(people, PLAIN)


def by_http(house: House, people: list[str]) -> Mailing:
    """The same by the other door."""
    shown = [f"{one}@company.example" for one in ("everybody", "board")]
    return house.post(people, display_to=shown, cc=["boss@company.example"])


@pytest.mark.parametrize("submit", [by_smtp, by_http])
def test_who_is_shown_in_the_head_of_a_mail_gets_no_copy_and_no_recipient_is_shown(
    house: House, submit: Callable[[House, list[str]], Mailing]
) -> None:
    people = [f"delivered+{number}@shown.sim.example" for number in range(3)]
    mailing = submit(house, people)
    fate = "delivered" if house.takes_finished_mails() else "held"
    with sending():
        mailing.wait_until(fate)
    for person, copies in mailing.copies().items():
        assert len(copies) == (fate == "delivered")
        for taken in copies:
            assert taken.copy.recipient == person
            shown = {*taken.copy.to, *taken.copy.cc}
            assert shown == {f"{one}@company.example" for one in ("everybody", "board", "boss")}


def followed(page: str) -> tuple[str, str]:
    """Where the first link leads to, and what the picture is."""
    link, picture = re.findall(r'"(http://127[^"]+)"', page)
    answer = Client().get(urlsplit(link).path)
    return answer["Location"], Client().get(urlsplit(picture).path)["Content-Type"]


def test_tracked_mail_leads_back_to_what_its_links_had(house: House) -> None:
    ann, bo = "silent+ann@track.sim.example", "silent+bo@track.sim.example"
    tracked = {"html": TRACKED, "track": {"opens": True, "clicks": True}}
    mailing = house.post([ann, bo], text="Hello.", **tracked)
    with sending():
        mailing.wait_until("submitted")
    pages = [mailing.seen(one).texts["text/html"] for one in (ann, bo)]
    assert [followed(page) for page in pages] == [(TARGET, "image/gif")] * 2
    assert pages[0] != pages[1]
    assert all("https://b.example/" in page for page in pages)


def test_tracked_mail_by_smtp_leads_back_as_well(house: House) -> None:
    ann = "delivered@smtptrack.sim.example"
    mail = (
        b"X-Postroom-Track: opens, clicks\r\nFrom: desk@company.example\r\nTo: " + ann.encode()
        + b"\r\nSubject: New prices\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + TRACKED.encode()
        + b"\r\n"
    )  # fmt: skip
    mailing = house.hand_in([ann], mail)
    if arrives(mailing):
        page = mailing.seen(ann).texts["text/html"]
        assert followed(page) == (TARGET, "image/gif")
