"""Kind and weight of a message at the doors: what is marketing, and who may say critical."""

from django.test import Client

from postroom.ledger import keys
from tests.submission.conftest import Submit
from tests.submission.door import MAIL, Door, message_count, rows
from tests.submission.test_smtp_refusals import plain
from tests.submission.test_urgent import BODY, answer

_ASKED = BODY | {"lane": "normal"}
_KEPT = "SELECT kind, critical FROM message"


def test_a_message_is_transactional_and_not_critical_unless_it_says_so(submit: Submit) -> None:
    key = keys.create_key("field", "test", ["send", "critical", "read"])
    submit(_ASKED, bearer=key.key)
    marked = submit({**_ASKED, "kind": "marketing", "critical": True}, bearer=key.key)
    assert sorted(rows(_KEPT)) == [("marketing", True), ("transactional", False)]
    read = Client(headers={"Authorization": f"Bearer {key.key}"})
    found = read.get(f"/v1/messages/{answer(marked)['message_id']}").json()
    assert (found["kind"], found["critical"]) == ("marketing", True)


def test_critical_mail_needs_the_scope_of_that_name(submit: Submit) -> None:
    refused = submit({**_ASKED, "critical": True})
    assert refused.status_code == 403
    assert "no scope critical" in answer(refused)["detail"]


def test_a_kind_that_does_not_exist_is_a_422(submit: Submit) -> None:
    assert submit({**_ASKED, "kind": "gossip"}).status_code == 422


def test_headers_say_the_same_by_smtp(submission_door: Door) -> None:
    marked = keys.create_key("field", "test", ["send", "critical"])
    block = b"X-Postroom-Kind: Marketing\r\nX-Postroom-Critical: yes\r\n"
    with submission_door.talk() as talk:
        talk.say("EHLO c", f"AUTH PLAIN {plain(marked.id, marked.secret)}")
        assert talk.mail(block + MAIL).startswith("250 ")
    assert rows(_KEPT) == [("marketing", True)]


def test_relayed_mail_is_never_critical(relay_door: Door) -> None:
    with relay_door.talk() as talk:
        reply = talk.mail(b"X-Postroom-Critical: yes\r\n" + MAIL)
    assert reply == "550 5.7.1 the relayed mail of legacy may not be critical"
    assert message_count() == 0
