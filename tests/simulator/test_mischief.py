"""Each kind of mischief can be seen from outside, and the truth log knows what really happened."""

import http.client
import time
import urllib.error

import pytest

from postroom.simulator.faces.sendgrid.signing import SIGNATURE
from postroom.simulator.mischief import Mischief, MischiefError
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import API_KEY, Receiver, Running, call, mail

ONE = mail("delivered@sim.example")


def test_latency_makes_calls_wait(start: Start) -> None:
    running = start({"latency_ms": [300, 400]})
    began = time.monotonic()
    assert running.send(ONE).status == 202
    assert time.monotonic() - began >= 0.3


def test_a_caller_who_goes_away_while_it_waits_has_been_heard(start: Start) -> None:
    running = start({"latency_ms": [400, 400]})
    with pytest.raises(TimeoutError):
        running.send(ONE, timeout_s=0.05)
    assert running.truth.copies == {}
    eventually(lambda: len(running.truth.copies) == 1)


def test_a_caller_who_breaks_off_in_the_body_is_not_heard(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start()
    caller = http.client.HTTPConnection("127.0.0.1", running.simulator.http_port)
    caller.putrequest("POST", "/v3/mail/send")
    caller.putheader("Authorization", f"Bearer {API_KEY}")
    caller.putheader("Content-Type", "application/json")
    caller.putheader("Content-Length", "1000")
    caller.endheaders(b'{"personalizations"')
    caller.close()
    assert running.send(ONE).status == 202
    assert len(running.truth.copies) == 1
    assert caplog.records == []


@pytest.mark.parametrize(
    ("mischief", "status"),
    [
        ({"too_many": 1}, 429),
        ({"refuse": 1}, 400),
        ({"refuse": 1, "refuse_status": 401}, 401),
        ({"refuse": 1, "refuse_status": 413}, 413),
        ({"error_before": 1}, 500),
        ({"error_before": 1, "error_status": 503}, 503),
    ],
)
def test_a_call_refused_by_mischief_is_not_taken(
    start: Start, mischief: dict[str, object], status: int
) -> None:
    running = start(mischief)
    assert running.send(ONE).status == status
    assert running.truth.copies == {}


def test_429_tells_the_limit_and_when_it_ends(start: Start) -> None:
    answer = start({"too_many": 1}).send(ONE)
    assert answer.json == {"errors": [{"field": None, "message": "too many requests"}]}
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert int(answer.headers["X-RateLimit-Reset"]) >= int(time.time())


def test_a_throttle_refuses_what_comes_above_its_limit_in_one_second(start: Start) -> None:
    running = start({"throttle_per_s": 3})
    statuses = [running.send(ONE).status for _ in range(12)]
    assert statuses.count(202) >= 3
    assert statuses.count(429) >= 3
    assert len(running.truth.copies) == statuses.count(202)


def test_an_error_after_acceptance_is_taken_all_the_same(start: Start) -> None:
    running = start({"error_after": 1})
    assert running.send(ONE).status == 500
    assert len(running.truth.copies) == 1


@pytest.mark.parametrize(("name", "taken"), [("hang_before", 0), ("hang_after", 1)])
def test_a_hanging_call_is_never_answered(start: Start, name: str, taken: int) -> None:
    running = start({name: 1})
    with pytest.raises(TimeoutError):
        running.send(ONE, timeout_s=0.5)
    assert len(running.truth.copies) == taken


@pytest.mark.parametrize(("name", "taken"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_gives_no_answer(start: Start, name: str, taken: int) -> None:
    running = start({name: 1})
    with pytest.raises((http.client.RemoteDisconnected, urllib.error.URLError)):
        running.send(ONE)
    assert len(running.truth.copies) == taken


def test_half_an_answer_breaks_off_after_acceptance(start: Start) -> None:
    running = start({"half_answer": 1})
    with pytest.raises((http.client.HTTPException, urllib.error.URLError, KeyError)):
        running.send(ONE).headers["X-Message-Id"]
    assert len(running.truth.copies) == 1


def test_429_and_503_say_how_long_to_wait_where_they_are_to(start: Start) -> None:
    running = start({"too_many": 1, "retry_after_s": 7})
    assert running.send(ONE).headers["Retry-After"] == "7"
    running.make_mischief(error_before=1, error_status=503, retry_after_s=9)
    assert running.send(ONE).headers["Retry-After"] == "9"
    running.make_mischief(error_before=1, error_status=500, retry_after_s=9)
    assert "Retry-After" not in running.send(ONE).headers


def test_an_answer_may_be_a_web_page_though_the_mail_was_taken(start: Start) -> None:
    running = start({"wrong_type": 1})
    answer = running.send(ONE)
    assert answer.status == 202
    assert answer.headers["Content-Type"].startswith("text/html")
    assert len(running.truth.copies) == 1


def test_mischief_happens_as_often_as_asked_and_the_same_for_one_seed(start: Start) -> None:
    def statuses(seed: int) -> list[int]:
        running.make_mischief(seed=seed, too_many=0.3)
        return [running.send(ONE).status for _ in range(60)]

    running = start()
    first = statuses(7)
    assert 5 < first.count(429) < 35
    assert statuses(7) == first
    assert statuses(8) != first


def test_mischief_can_be_changed_while_it_runs(simulator: Running) -> None:
    simulator.make_mischief(error_before=1)
    assert simulator.send(ONE).status == 500
    simulator.make_mischief()
    assert simulator.send(ONE).status == 202
    assert call(f"{simulator.url}/_simulator/mischief").json["error_before"] == 0


def test_the_control_calls_want_the_key(simulator: Running) -> None:
    wrong = {"Authorization": "Bearer x"}
    for path in ("truth", "mischief"):
        assert call(f"{simulator.url}/_simulator/{path}", headers=wrong).status == 401
    assert call(f"{simulator.url}/_simulator/mischief", {}, wrong).status == 401
    assert call(f"{simulator.url}/_simulator/health", headers=wrong).json == {"status": "ok"}


def test_the_control_calls_count_what_happened(simulator: Running) -> None:
    simulator.send(ONE)
    simulator.send({})
    eventually(simulator.is_settled)
    told = call(f"{simulator.url}/_simulator/truth").json
    assert told["counts"] == {"taken": 1, "calls refused": 1, "accepted": 1, "delivered": 1}
    assert told["pending"] == 0
    assert told["batches"]["lost"] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"earthquake": 1},
        {"too_many": 2},
        {"too_many": "x"},
        {"latency_ms": 5},
        {"latency_ms": ["a", "b"]},
        {"webhook_shuffle": 1},
        {"throttle_per_s": "x"},
    ],
)
def test_unknown_mischief_is_refused_by_name(
    simulator: Running, settings: dict[str, object]
) -> None:
    with pytest.raises(MischiefError, match=next(iter(settings))):
        Mischief.read(settings)
    answer = call(f"{simulator.url}/_simulator/mischief", settings)
    assert answer.status == 400
    assert next(iter(settings)) in answer.json["error"]


def test_repeated_webhooks_are_the_same_bytes_under_the_same_signature(
    start: Start, receiver: Receiver
) -> None:
    running = start({"webhook_repeat": 1, "webhook_repeat_max": 5})
    running.send(mail("suppressed@sim.example"))
    eventually(lambda: len(receiver.posts) >= 2)
    eventually(running.is_settled)
    assert len({(post.body, post.headers[SIGNATURE]) for post in receiver.posts}) == 1


def test_reissued_webhooks_carry_new_event_ids_and_a_valid_signature(
    start: Start, receiver: Receiver
) -> None:
    running = start({"webhook_reissue": 1})
    running.send(mail("suppressed@sim.example"))
    eventually(lambda: len(receiver.posts) >= 2)
    first, again = receiver.posts[:2]
    assert first.events[0]["sg_event_id"] != again.events[0]["sg_event_id"]
    assert first.events[0]["timestamp"] == again.events[0]["timestamp"]
    assert again.is_signed_by(running.public_key)


def test_lost_webhooks_never_come_and_the_truth_says_so(start: Start, receiver: Receiver) -> None:
    running = start({"webhook_lose": 1})
    running.send(ONE)
    eventually(running.is_settled)
    assert receiver.posts == []
    (taken,) = running.truth.copies.values()
    assert taken.final is not None
    assert taken.final.what == "delivered"
    assert {fact.batch for fact in taken.facts} == running.truth.lost


def test_forged_webhooks_are_never_signed_by_the_account(start: Start, receiver: Receiver) -> None:
    running = start({"webhook_forge": 1})
    running.send(mail(*(f"delivered+{n}@sim.example" for n in range(3))))
    eventually(running.is_settled)
    forged = [post for post in receiver.posts if post.events[0]["sg_event_id"] == "forged"]
    assert len(forged) == len(receiver.posts) / 2
    for post in receiver.posts:
        proved = SIGNATURE in post.headers and post.is_signed_by(running.public_key)
        assert proved == (post not in forged)


def test_truncated_webhooks_are_told_whole_afterwards(start: Start, receiver: Receiver) -> None:
    running = start({"webhook_truncate": 1})
    running.send(mail("suppressed@sim.example"))
    eventually(running.is_settled)
    cut, whole = receiver.posts
    assert whole.body.startswith(cut.body)
    assert not cut.is_signed_by(running.public_key)
    assert whole.is_signed_by(running.public_key)


def test_delayed_webhooks_overtake_one_another(start: Start, receiver: Receiver) -> None:
    late_first = 255  # this seed's first wait is long and its second short
    running = start({"seed": late_first, "webhook_delay_ms": [0, 1500]})
    running.send(mail("defer@sim.example"))
    eventually(running.is_settled)
    told = [event["event"] for event in receiver.events()]
    assert sorted(told) == ["bounce", "deferred", "deferred", "deferred", "processed"]
    assert told != ["processed", "deferred", "deferred", "deferred", "bounce"]


def test_shuffled_events_come_in_another_order(start: Start, receiver: Receiver) -> None:
    running = start({"webhook_shuffle": True})
    recipients = [f"delivered+{n}@sim.example" for n in range(200)]
    running.send(mail(*recipients))
    eventually(running.is_settled)
    came = [event["email"] for event in receiver.events() if event["event"] == "processed"]
    assert sorted(came) == sorted(recipients)
    assert came != recipients
