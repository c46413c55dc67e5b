"""The providers: each one's roads in order of preference, and how its notifications are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from postroom.domain.flow import Tells
from postroom.providers import (
    bounces,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    postal,
    postmark,
    resend,
    sendgrid,
    ses,
    smtp,
    sparkpost,
)
from postroom.providers.account_api import AccountApi
from postroom.providers.anymail.esps import ESPS
from postroom.providers.base import Account, Carrier, Puller, Receiver
from postroom.providers.history import History, LookUp


@dataclass(frozen=True, slots=True)
class Road:
    """One way to hand mail to a provider."""

    name: str
    """Stands in the record of every attempt."""
    make: Callable[[float], Carrier]
    """A carrier whose calls end after so many seconds."""
    needs: frozenset[str]
    """Settings that an account must have for this road."""
    steering: frozenset[bytes] = frozenset()
    """Lower-case header names by which a mail would steer our account: left out."""


FollowUp = Callable[[Account, Mapping[str, str], bytes], str | None]
"""The address that a stored notification asks us to visit; None: it asks for nothing."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What we know of one provider."""

    roads: tuple[Road, ...]
    receiver: Receiver | None
    """None: it sends no notifications."""
    follow_up: FollowUp | None = None
    """None: it never waits for a visit of ours."""
    make_puller: Callable[[], Puller] | None = None
    """None: it has no queue to pull from."""
    make_history: Callable[[], History | LookUp] | None = None
    """None: it tells of no past events, or we do not ask. A look-up tells of single mails."""
    trouble_status: int = 503
    """The status that makes it repeat a notification that we cannot take now."""
    make_account_api: Callable[[], AccountApi] | None = None
    """None: it has no interface for sender domains and webhooks, or we do not use it."""
    covers_subdomains: bool = False
    """Whether a verified From domain stands for those below it too."""
    tells: Tells = Tells.FATE
    """Only where acceptance is told can silence prove that a mail was not taken."""


def _by_anymail(provider: str) -> Road:
    """The road by django-anymail, which is imported when mail is to be sent."""

    def make(timeout_s: float) -> Carrier:
        from postroom.providers.anymail.carrier import AnymailCarrier

        return AnymailCarrier(provider, timeout_s)

    return Road(f"{provider}_anymail", make, frozenset(ESPS[provider].needs))


PROVIDERS: dict[str, Provider] = {
    "sendgrid": Provider(
        roads=(
            Road(
                "sendgrid",
                sendgrid.SendGridCarrier,
                frozenset({"api_key"}),
            ),
            Road(
                "sendgrid_smtp",
                lambda timeout_s: smtp.SmtpCarrier(smtp.sendgrid_header, timeout_s),
                frozenset({"smtp_host"}),
                steering=frozenset({b"x-smtpapi"}),
            ),
        ),
        receiver=sendgrid.SendGridReceiver(),
        tells=Tells.ACCEPTANCE,
        make_account_api=sendgrid.SendGridAccountApi,
        make_history=sendgrid.SendGridLookUp,
    ),
    "ses": Provider(
        roads=(
            Road(
                "ses",
                ses.SesCarrier,
                frozenset({"access_key_id", "secret_access_key", "region"}),
                steering=ses.STEERING,
            ),
            Road(
                "ses_smtp",
                ses.SesSmtpCarrier,
                frozenset({"smtp_host"}),
                steering=ses.STEERING,
            ),
        ),
        receiver=ses.SesReceiver(),
        tells=Tells.ACCEPTANCE,
        # "Creating and verifying identities in Amazon SES", read 2026-11-24.
        covers_subdomains=True,
        follow_up=ses.follow_up,
        make_puller=ses.SqsPuller,
        make_account_api=ses.SesAccountApi,
    ),
    "mailgun": Provider(
        roads=(
            Road(
                "mailgun",
                mailgun.MailgunCarrier,
                frozenset({"api_key", "domain"}),
            ),
            Road(
                "mailgun_mime",
                mailgun.MailgunMimeCarrier,
                frozenset({"api_key", "domain"}),
                steering=mailgun.STEERING,
            ),
            Road(
                "mailgun_smtp",
                lambda timeout_s: smtp.SmtpCarrier(mailgun.mailgun_header, timeout_s),
                frozenset({"smtp_host"}),
                steering=mailgun.STEERING,
            ),
        ),
        receiver=mailgun.MailgunReceiver(),
        tells=Tells.ACCEPTANCE,
        make_account_api=mailgun.MailgunAccountApi,
        make_history=mailgun.MailgunHistory,
    ),
    "mailjet": Provider(
        roads=(
            Road(
                "mailjet",
                mailjet.MailjetCarrier,
                frozenset({"api_key", "api_secret"}),
            ),
            Road(
                "mailjet_smtp",
                mailjet.MailjetSmtpCarrier,
                frozenset({"smtp_host"}),
                steering=mailjet.STEERING,
            ),
        ),
        receiver=mailjet.MailjetReceiver(),
        make_account_api=mailjet.MailjetAccountApi,
    ),
    "brevo": Provider(
        roads=(
            Road(
                "brevo",
                brevo.BrevoCarrier,
                frozenset({"api_key"}),
            ),
            Road(
                "brevo_smtp",
                brevo.BrevoSmtpCarrier,
                frozenset({"smtp_host"}),
                steering=brevo.STEERING,
            ),
        ),
        receiver=brevo.BrevoReceiver(),
        tells=Tells.ACCEPTANCE,
        make_account_api=brevo.BrevoAccountApi,
        make_history=brevo.BrevoHistory,
        # Brevo throws away what is answered by any 5xx.
        trouble_status=429,
    ),
    "postmark": Provider(
        roads=(
            Road(
                "postmark",
                postmark.PostmarkCarrier,
                frozenset({"server_token"}),
            ),
            Road(
                "postmark_smtp",
                postmark.PostmarkSmtpCarrier,
                frozenset({"smtp_host"}),
                steering=postmark.STEERING,
            ),
        ),
        receiver=postmark.PostmarkReceiver(),
        make_account_api=postmark.PostmarkAccountApi,
        make_history=postmark.PostmarkHistory,
    ),
    "sparkpost": Provider(
        roads=(
            Road(
                "sparkpost",
                sparkpost.SparkPostCarrier,
                frozenset({"api_key"}),
            ),
            Road(
                "sparkpost_mime",
                sparkpost.SparkPostMimeCarrier,
                frozenset({"api_key"}),
                steering=sparkpost.STEERING,
            ),
            Road(
                "sparkpost_smtp",
                lambda timeout_s: smtp.SmtpCarrier(sparkpost.sparkpost_header, timeout_s),
                frozenset({"smtp_host"}),
                steering=sparkpost.STEERING,
            ),
        ),
        receiver=sparkpost.SparkPostReceiver(),
        tells=Tells.ACCEPTANCE,
        make_account_api=sparkpost.SparkPostAccountApi,
        make_history=sparkpost.SparkPostHistory,
    ),
    "resend": Provider(
        roads=(
            Road(
                "resend",
                resend.ResendCarrier,
                frozenset({"api_key"}),
            ),
        ),
        receiver=resend.ResendReceiver(),
        tells=Tells.ACCEPTANCE,
        make_account_api=resend.ResendAccountApi,
        make_history=resend.ResendLookUp,
    ),
    "mailtrap": Provider(roads=(_by_anymail("mailtrap"),), receiver=mailtrap.MailtrapReceiver()),
    # Its `activity.sent` carries no id of ours, so it cannot be told of which mail it speaks
    # when the answer to the call is missing.
    "mailersend": Provider(
        roads=(_by_anymail("mailersend"),), receiver=mailersend.MailerSendReceiver()
    ),
    "postal": Provider(roads=(_by_anymail("postal"),), receiver=postal.PostalReceiver()),
    "mandrill": Provider(roads=(_by_anymail("mandrill"),), receiver=None, tells=Tells.NOTHING),
    "scaleway": Provider(roads=(_by_anymail("scaleway"),), receiver=None, tells=Tells.NOTHING),
    "unisender_go": Provider(
        roads=(_by_anymail("unisender_go"),), receiver=None, tells=Tells.NOTHING
    ),
    "smtp": Provider(
        roads=(
            Road(
                "smtp",
                lambda timeout_s: smtp.SmtpCarrier(
                    smtp.relay_header, timeout_s, mail_from=smtp.return_path
                ),
                frozenset({"smtp_host"}),
            ),
        ),
        receiver=bounces.BounceReceiver(),
        tells=Tells.FAILURE,
    ),
}
