"""What the clock does is done without error on a ledger in which everything has happened."""

from postroom.ledger import accounts
from postroom.management import clock
from tests.ledger import busy


def test_every_task_can_be_done_again_and_again(ledger: None) -> None:
    busy.busy_ledger()
    accounts.add("mailgun", "mailgun", False, {"api_key": "k", "domain": "mg.example.org"})
    for _ in range(2):
        for task in clock.tasks():
            assert task.step() >= 0, task.name


def test_proof_comes_before_a_possible_duplicate() -> None:
    names = [task.name for task in clock.tasks()]
    assert names.index("proved not taken") < names.index("doubtful sent again")
