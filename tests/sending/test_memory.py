"""However much waits, a sender holds no more content than it is told to."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from postroom.domain.lane import Lane
from tests.fake_provider import TAKEN, Asked, FakeProvider, Says, fake_provider
from tests.faults.memory import peak_mb
from tests.helpers import eventually
from tests.sending.posting import PACE, add_account, people, post_http, sending, stages

pytestmark = pytest.mark.usefixtures("ledger")

MAILS = 24
MAIL_MB = 4
KEPT_MB = 16
"""Room for the content of one mail, which takes three times its bytes."""
GROWTH_MB_MAX = 260
"""What that and the calls, at both ends, come to; all mails would take more than 400."""


def _forget_peak() -> None:
    """The peak of this process's memory counts from now on (proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def _keeps_nothing(provider: FakeProvider) -> None:
    def answer(_asked: Asked) -> Says:
        provider.asked.clear()
        return replace(TAKEN, after_s=0.02)

    provider.answer = answer


def test_a_backlog_of_large_mails_takes_the_memory_of_a_few() -> None:
    with fake_provider() as provider:
        _keeps_nothing(provider)
        add_account(provider)
        for person in people(MAILS):
            post_http([person], made={"lane": Lane.BULK}, text="x" * (MAIL_MB * 2**20))
        _forget_peak()
        before_mb = peak_mb(os.getpid())
        with sending(replace(PACE, kept_bytes_max=KEPT_MB * 2**20)):
            eventually(lambda: stages() == {"submitted": MAILS}, within_s=30)
        assert peak_mb(os.getpid()) - before_mb < GROWTH_MB_MAX
