"""What tests of hearing back share."""

from collections.abc import Iterator

import pytest

from postroom.feedback import keeping
from postroom.ledger import accounts
from tests.fake_sns import TOPIC
from tests.feedback.topic import Topic, serving


@pytest.fixture
def topic() -> Iterator[Topic]:
    """A topic that answers."""
    with serving() as running:
        yield running


@pytest.fixture
def path(ledger: None, topic: Topic) -> str:
    """The webhook of an account that expects the topic."""
    keeping.forget()
    settings = {"topic_arns": TOPIC, "sns_endpoint": topic.endpoint}
    return f"/feedback/amazon/{accounts.add('amazon', 'ses', True, settings)}"
