"""What holds for the face of every provider: a new one is tested by being there."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from postroom.simulator.config import ConfigError
from postroom.simulator.face import SettingsError
from postroom.simulator.faces import new_face_config, open_faces, provider_names
from postroom.simulator.server import Simulator
from postroom.simulator.steps import What
from tests.helpers import eventually
from tests.simulator.client import Client
from tests.simulator.rig import Answer, Running, call, config

ENDINGS: dict[str, What | None] = {
    "delivered": What.DELIVERED,
    "bounce": What.BOUNCED,
    "full": What.BOUNCED,
    "defer": What.BOUNCED,
    "defer-then-deliver": What.DELIVERED,
    "late-bounce": What.BOUNCED,
    "block": What.BOUNCED,
    "spam": What.BOUNCED,
    "complain": What.DELIVERED,
    "silent": None,
    "open": What.DELIVERED,
    "click": What.DELIVERED,
    "unsubscribe": What.DELIVERED,
    "ooto": What.DELIVERED,
}


class Account:
    """One account at one provider, and a simulator that is this provider."""

    def __init__(self, provider: str, directory: Path) -> None:
        client: Client = import_module(f"tests.simulator.clients.{provider}").CLIENT
        self.client, self.receiver, self.directory = client, client.receiver(), directory
        url = self.receiver.url.replace("http://", f"http://{client.userinfo}")
        self.entry = new_face_config("mine", url, provider=provider, **client.more)
        self.receiver.status = 200
        self.start()

    def start(self, **mischief: Any) -> None:
        faces = {"mine": self.entry}
        self.running = Running(config(self.directory, None, mischief, faces=faces, time_scale=0.05))

    def restart(self, **mischief: Any) -> None:
        self.running.close()
        self.start(**mischief)

    def send(self, *local_parts: str) -> Answer:
        addresses = [f"{local_part}@sim.example" for local_part in local_parts]
        return self.client.send(self.client.url(self.running), self.entry, addresses)

    def failed_posts(self) -> int:
        """Posts that were not answered as they should be."""
        told = call(f"{self.running.url}/_simulator/truth").json
        return int(told["batches"]["failed_posts"])

    def is_proved(self) -> list[bool]:
        """Of each webhook that came, in order."""
        return [self.client.is_proved(post, self.entry) for post in list(self.receiver.posts)]


@pytest.fixture(params=provider_names())
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    account = Account(request.param, tmp_path)
    yield account
    account.running.close()
    account.receiver.close()


def test_the_address_decides_what_becomes_of_a_mail(account: Account) -> None:
    account.send(*ENDINGS)
    eventually(account.running.is_settled)
    endings = {
        taken.copy.recipient.partition("@")[0]: taken.final.what if taken.final else None
        for taken in account.running.truth.copies.values()
    }
    assert endings == ENDINGS
    assert account.receiver.posts
    assert all(account.is_proved())


def test_the_hand_over_id_is_found_where_the_sender_put_it(account: Account) -> None:
    account.send("delivered", "bounce+5.7.1")
    told = {
        taken.copy.recipient: taken.copy.handover for taken in account.running.truth.copies.values()
    }
    assert set(told) == {"delivered@sim.example", "bounce+5.7.1@sim.example"}
    assert told == {address: account.client.handover(address) for address in told}


def test_refuse_is_refused_and_never_taken(account: Account) -> None:
    answer = account.send("refuse")
    assert answer.status >= 400 or b"refuse@sim.example" in answer.body
    assert account.running.truth.copies == {}


def test_a_suppressed_address_is_dropped_or_refused(account: Account) -> None:
    account.send("suppressed")
    eventually(account.running.is_settled)
    for taken in account.running.truth.copies.values():
        assert taken.final is not None
        assert taken.final.what is What.DROPPED


def test_a_repeat_is_the_same_bytes_and_a_reissue_is_proved(account: Account) -> None:
    account.restart(webhook_repeat=1, webhook_reissue=1, webhook_repeat_max=1)
    account.send("bounce")
    eventually(account.running.is_settled)
    eventually(lambda: len(account.receiver.posts) >= 3)
    assert all(account.is_proved())
    bodies = [post.body for post in account.receiver.posts]
    assert len(set(bodies)) < len(bodies)


def test_a_forgery_does_not_prove_its_origin(account: Account) -> None:
    account.restart(webhook_forge=1)
    account.send("delivered", "bounce")
    eventually(account.running.is_settled)
    proved = account.is_proved()
    assert proved.count(True) == proved.count(False) > 0


def test_what_was_not_heard_is_told_after_a_restart(account: Account) -> None:
    account.receiver.status = account.client.busy
    account.send("bounce", "late-bounce")
    eventually(account.failed_posts)
    account.running.close()
    account.receiver.forget()
    account.receiver.status = 200
    account.start()
    eventually(account.running.is_settled)
    truth = account.running.truth
    assert all(truth.told(fact) for taken in truth.copies.values() for fact in taken.facts)
    assert account.receiver.posts
    assert all(account.is_proved())


@pytest.mark.parametrize(
    "mischief",
    [
        {"refuse": 1},
        {"refuse": 1, "refuse_status": 401},
        {"refuse": 1, "refuse_status": 403},
        {"refuse": 1, "refuse_status": 413},
        {"too_many": 1},
        {"error_before": 1, "error_status": 500},
        {"error_before": 1},
    ],
)
def test_trouble_is_answered_and_nothing_taken(
    account: Account, mischief: dict[str, object]
) -> None:
    account.restart(**mischief)
    answer = account.send("delivered")
    assert answer.status >= 400
    assert account.running.truth.copies == {}


def test_an_unknown_path_is_answered_with_404(account: Account) -> None:
    assert call(f"{account.running.url}/mine/nowhere").status == 404


def test_there_is_a_page_entry_for_every_face() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    assert [name for name in provider_names() if f"| `{name}` |" not in page] == []


def test_secrets_of_a_face_do_not_show(account: Account) -> None:
    (face,) = open_faces({"mine": account.entry})
    for name, value in account.entry.items():
        if name not in {"webhook_url", "provider"} and isinstance(value, str) and len(value) > 10:
            assert value not in repr(face)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"provider": "nobody"}, "there is no face nobody"),
        ({"provider": "sendgrid", "earthquake": 1}, "mine has unknown settings earthquake"),
        ({"provider": "sendgrid", "api_key": "x", "signing_private_key": "x"}, "mine: "),
        ({"provider": "sendgrid"}, "signing_private_key"),
    ],
)
def test_an_entry_that_cannot_be_a_face_is_refused_by_name(
    tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        open_faces({"mine": entry})
    with pytest.raises(ConfigError, match=words):
        Simulator(config(tmp_path, None, faces={"mine": entry}))
