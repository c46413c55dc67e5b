"""Amazon SES by Amazon SNS: notifications over HTTPS, proved and read.

Raw message delivery is read (from a queue) and not taken over HTTPS: it carries no signature.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.json_events import value
from postroom.providers.ses import events, sns
from postroom.providers.ses.certificates import Certificates, Fetch, fetch
from postroom.providers.ses.slices import Slices


class SesReceiver:
    """Proves and reads what SNS posts, or what a queue held."""

    signed = True

    def __init__(self, fetch: Fetch = fetch) -> None:
        """`fetch` is how a certificate is had; for tests another one."""
        self._certificates = Certificates(fetch)

    def verify(
        self,
        account: Account,
        headers: Mapping[str, str],  # noqa: ARG002 - nothing that they say is signed
        body: bytes,
        now: datetime,
    ) -> None:
        """Nothing; raises NotAuthentic, or CannotTell when the certificate is not to be had."""
        envelope = sns.Envelope(_object(body, NotAuthentic))
        sns.verify(account, envelope, self._certificates, now)

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """An event for each recipient; none for what the topic says about itself."""
        fields = _object(body, Unreadable)
        if not sns.is_envelope(fields):
            return iter(_placed(events.heard(fields, None), body))
        envelope = sns.Envelope(fields)
        message = _message(envelope)
        if message is None:
            return iter(())
        return iter(_placed(events.heard(message, envelope.text("MessageId") or None), body))


def follow_up(
    account: Account,
    headers: Mapping[str, str],  # noqa: ARG001 - another provider may say it there
    body: bytes,
) -> str | None:
    """The address to visit so that Amazon begins to tell; None for all but a confirmation.

    The notification was proved before: the address is signed, and its topic is expected. Raises
    NotAuthentic when it does not lead to Amazon all the same.
    """
    envelope = sns.Envelope(_object(body, NotAuthentic))
    if envelope.type != sns.SUBSCRIPTION:
        return None
    url = envelope.text("SubscribeURL")
    if not sns.confirmation_url(account).fullmatch(url):
        raise NotAuthentic("the SubscribeURL does not lead to Amazon SNS")
    return url


def _message(envelope: sns.Envelope) -> Mapping[str, object] | None:
    """The event inside; None for an envelope that holds none; Unreadable for a broken one."""
    message = envelope.text("Message")
    if envelope.type != sns.NOTIFICATION or not message.lstrip().startswith("{"):
        # SES's first word to a new topic is a sentence.
        return None
    return _object(message.encode("utf-8", "surrogatepass"), Unreadable)


def _object(body: bytes, otherwise: Callable[[str], Exception]) -> Mapping[str, object]:
    """The JSON object that the body is; raises what `otherwise` makes when it is none."""
    try:
        found = value(body)
    except Unreadable as error:
        raise otherwise(str(error)) from error
    if not isinstance(found, dict):
        raise otherwise("the body is no JSON object")
    return found


def _placed(heard: Iterator[Heard], body: bytes) -> Iterator[Heard]:
    """The events, each with its place in the bytes where there are several."""
    return Slices(body).of(list(heard))
