"""Metrics tell what waits on this machine's disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import Spool
from postroom.reports import health


def test_metrics_show_the_size_of_the_spool_and_the_age_of_its_oldest(
    ledger: None, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Spool(data / "spool", 1024**2)
    monkeypatch.setattr(health, "spool", lambda: own)
    text = Client().get("/metrics").content.decode()
    assert "postroom_spool_bytes{} 0\n" in text
    assert "postroom_spool_seconds{} 0.0\n" in text
    own.append(NewReceipt(1, datetime.now(UTC), {}, b"[]"))
    text = Client().get("/metrics").content.decode()
    assert f"postroom_spool_bytes{{}} {own.held().size_bytes}\n" in text
    assert "postroom_spool_seconds{} 0.0\n" not in text
