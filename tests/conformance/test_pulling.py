"""What was lost on the way is pulled back whole, and what was not lost counts once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from postroom.feedback import history
from postroom.ledger import accounts, pulls
from postroom.ledger.pulls import Progress
from postroom.simulator.steps import What
from tests.conformance.house import ACCOUNT, House, Mailing
from tests.conformance.test_hearing import check_against_the_truth, heard, people
from tests.helpers import eventually
from tests.sending.posting import rows, sending

LISTING = ("mailgun", "sparkpost")
"""Faces that list events to whoever asks."""
ANSWERING = ("sendgrid", "resend")
"""Faces that tell of single mails."""
HTML = '<a href="https://company.example/">Prices</a>'


@pytest.fixture
def askable(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The house of a provider that can be asked, small pages and no pauses."""
    monkeypatch.setattr("postroom.providers.mailgun.history._LIMIT", 7)
    monkeypatch.setattr("postroom.providers.sparkpost.history._PER_PAGE", 7)
    monkeypatch.setattr("postroom.providers.mailgun.MailgunHistory.pause_s", 0.0)
    monkeypatch.setattr("postroom.providers.sparkpost.SparkPostHistory.pause_s", 0.0)
    monkeypatch.setattr("postroom.providers.sendgrid.SendGridLookUp.pause_s", 0.0)
    monkeypatch.setattr("postroom.providers.resend.ResendLookUp.pause_s", 0.0)
    monkeypatch.setattr("postroom.providers.resend.ResendLookUp.silent_for", timedelta(0))
    return house


def pull(since: datetime) -> Progress:
    """How a pull from then until now ended."""
    row = accounts.by_name(ACCOUNT)
    assert row is not None
    id = pulls.want(row.id, since, datetime.now(UTC), "test")
    assert id is not None

    async def all_pages() -> Progress:
        histories = history.make_histories()
        try:
            while not pulls.progress(id).finished:
                await history.step(histories, id)
            return pulls.progress(id)
        finally:
            for one in histories.values():
                await one.close()

    return asyncio.run(all_pages())


def _all_has_happened(mailing: Mailing) -> bool:
    """Whether everybody was mailed, and every timeline has come to its end."""
    copies = list(mailing.copies().values())
    return all(copies) and all(one.complete for own in copies for one in own)


@pytest.mark.parametrize("whole_house", LISTING, indirect=True)
def test_lost_notifications_are_pulled_and_every_verdict_is_the_truth(askable: House) -> None:
    house, began = askable, datetime.now(UTC) - timedelta(seconds=2)
    house.running.make_mischief(webhook_lose=0.7)
    mailing = house.post(people("lost"), html=HTML)
    with sending():
        eventually(lambda: _all_has_happened(mailing), 20)
    house.wait_until_quiet()
    had = heard(mailing)
    done = pull(began)
    assert (done.finished, done.failed) == (True, None)
    assert done.pages > 2
    check_against_the_truth(mailing)
    assert heard(mailing) != had, "nothing was lost"
    events = rows("SELECT count(*) FROM event")[0][0]
    pull(began)
    house.wait_until_quiet()
    assert rows("SELECT count(*) FROM event")[0][0] == events, "pulled twice, told once"


NOT_TOLD = {
    "sendgrid": {"late-bounce": "delivered"},
    "resend": {"open": "submitted", "click": "submitted"},
}
"""Of a bounce after acceptance SendGrid's logs name no mail; what is opened or clicked is the last
that Resend tells, and does not say that a person did so."""
FINAL = {What.DELIVERED: "delivered", What.BOUNCED: "bounced", What.DROPPED: "suppressed"}


def true_states(mailing: Mailing) -> dict[str, str]:
    """The last final thing that happened to each mail, and what a silent one is."""
    found = {}
    for recipient, copies in mailing.copies().items():
        happened = [FINAL[fact.what] for one in copies for fact in one.facts if fact.what in FINAL]
        found[recipient] = [*(["submitted"] if copies else ["rejected"]), *happened][-1]
    return found


@pytest.mark.parametrize("whole_house", ANSWERING, indirect=True)
def test_mails_without_a_final_word_are_looked_up_and_every_verdict_is_the_truth(
    askable: House,
) -> None:
    house, began = askable, datetime.now(UTC) - timedelta(seconds=2)
    house.running.make_mischief(webhook_lose=1.0)
    mailing = house.post(people("looked-up"))
    with sending():
        eventually(lambda: _all_has_happened(mailing), 20)
    house.wait_until_quiet()
    assert heard(mailing) == {}, "all was lost"
    done = pull(began)
    assert (done.finished, done.failed) == (True, None)
    house.wait_until_quiet()
    untold = {f"{who}@looked-up.sim.example": it for who, it in NOT_TOLD[house.provider].items()}
    assert mailing.states() == true_states(mailing) | untold
    events = rows("SELECT count(*) FROM event")[0][0]
    pull(began)
    house.wait_until_quiet()
    assert rows("SELECT count(*) FROM event")[0][0] == events, "looked up twice, told once"
