"""What each provider's own classification amounts to: one table a provider, data only.

Read when text and code are silent (step 4 of the order of decision), and for mail that was never
attempted (step 1). Always the least suppressing candidate. It lives here and not with the adapter
because the reading of a stored event is a rule, and rules import no provider.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderClass:
    """What one class of one provider means."""

    reason: str
    cause: str | None = None
    """Of a provider's suppression: the reason for which it stands there, where the class tells."""


SENDGRID: dict[str, ProviderClass] = {
    "Invalid Address": ProviderClass("address_unknown"),
    "Technical": ProviderClass("receiver_down"),
    "Technical Failure": ProviderClass("receiver_down"),
    "Content": ProviderClass("content_refused"),
    "Reputation": ProviderClass("reputation_block"),
    "Frequency or Volume Too High": ProviderClass("rate_limited"),
    "Frequency/Volume Too High": ProviderClass("rate_limited"),
    "Mailbox Unavailable": ProviderClass("mailbox_full"),
    "Unclassified": ProviderClass("unclassified"),
    "Bounced Address": ProviderClass("suppressed_by_provider", "bounced"),
    "Spam Reporting Address": ProviderClass("suppressed_by_provider", "complained_before"),
    "Unsubscribed Address": ProviderClass("suppressed_by_provider", "unsubscribed"),
    "Recipient List over Package Quota": ProviderClass("provider_quota"),
    "Spam Content": ProviderClass("provider_refused"),
    "Invalid SMTPAPI header": ProviderClass("provider_refused"),
    "Invalid": ProviderClass("address_syntax"),
}
"""`bounce_classification` and the reasons of `dropped`: twilio.com/docs/sendgrid, "Event Webhook
Reference" and "Bounces API" (the latter writes `Technical Failure`), read 2026-11-24."""

SPARKPOST: dict[str, ProviderClass] = {
    "1": ProviderClass("unclassified"),
    "10": ProviderClass("address_unknown"),
    "20": ProviderClass("receiver_down"),
    "21": ProviderClass("routing_or_network"),
    "22": ProviderClass("mailbox_full"),
    "23": ProviderClass("message_too_large"),
    "24": ProviderClass("gave_up"),
    "25": ProviderClass("policy_refused"),
    "26": ProviderClass("provider_refused"),
    "30": ProviderClass("address_ambiguous"),
    "40": ProviderClass("unclassified"),
    "50": ProviderClass("policy_refused"),
    "51": ProviderClass("reputation_block"),
    "52": ProviderClass("content_refused"),
    "53": ProviderClass("attachment_refused"),
    "54": ProviderClass("policy_refused"),
    "60": ProviderClass("auto_reply"),
    "70": ProviderClass("gave_up"),
    "80": ProviderClass("unclassified"),
    "90": ProviderClass("unsubscribed"),
    "100": ProviderClass("auto_reply"),
    "suppressed": ProviderClass("suppressed_by_provider"),
    "25/suppressed": ProviderClass("suppressed_by_provider"),
    "26/suppressed": ProviderClass("suppressed_by_provider"),
    "generation_failure": ProviderClass("render_failed"),
}
"""`bounce_class`, what its list kept back (under a class or none), and the one event without a
class that says why: support.sparkpost.com, "Bounce Classification Codes", read 2026-11-24. Why an
address stands on the list is not told."""

SES: dict[str, ProviderClass] = {
    "Undetermined/Undetermined": ProviderClass("unclassified"),
    "Permanent/General": ProviderClass("address_unknown"),
    "Permanent/NoEmail": ProviderClass("address_unknown"),
    "Permanent/Suppressed": ProviderClass("suppressed_by_provider", "bounced"),
    "Permanent/OnAccountSuppressionList": ProviderClass("suppressed_by_provider"),
    "Permanent/OnTenantSuppressionList": ProviderClass("suppressed_by_provider"),
    "Permanent/EmailValidationSuppressed": ProviderClass("suppressed_by_provider"),
    "Complaint/OnAccountSuppressionList": ProviderClass("suppressed_by_provider"),
    "Complaint/OnTenantSuppressionList": ProviderClass("suppressed_by_provider"),
    "Transient/General": ProviderClass("gave_up"),
    "Transient/MailboxFull": ProviderClass("mailbox_full"),
    "Transient/MessageTooLarge": ProviderClass("message_too_large"),
    "Transient/CustomTimeoutExceeded": ProviderClass("gave_up"),
    "Transient/ContentRejected": ProviderClass("content_refused"),
    "Transient/AttachmentRejected": ProviderClass("attachment_refused"),
    "DeliveryDelay/InternalFailure": ProviderClass("unclassified"),
    "DeliveryDelay/General": ProviderClass("unclassified"),
    "DeliveryDelay/MailboxFull": ProviderClass("mailbox_full"),
    "DeliveryDelay/SpamDetected": ProviderClass("reputation_block"),
    "DeliveryDelay/RecipientServerError": ProviderClass("receiver_down"),
    "DeliveryDelay/IPFailure": ProviderClass("reputation_block"),
    "DeliveryDelay/TransientCommunicationFailure": ProviderClass("routing_or_network"),
    "DeliveryDelay/BYOIPHostNameLookupUnavailable": ProviderClass("ptr_or_ip_config"),
    "DeliveryDelay/Undetermined": ProviderClass("unclassified"),
    "DeliveryDelay/SendingDeferral": ProviderClass("rate_limited"),
    "Reject/Bad content": ProviderClass("provider_refused"),
    "Rendering Failure": ProviderClass("render_failed"),
}
"""`bounceType/bounceSubType`, and the classes of the other failing events under their type:
docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html, read 2026-11-24.
`Suppressed` is the list for all customers: addresses that bounced of late. The account's own list
does not tell here whether a bounce or a complaint put the address there."""

MAILGUN: dict[str, ProviderClass] = {
    "bounce": ProviderClass("address_ambiguous"),
    "bounce/hard": ProviderClass("address_unknown"),
    "bounce/soft": ProviderClass("unclassified"),
    "delayed-bounce": ProviderClass("unclassified"),
    "generic": ProviderClass("unclassified"),
    "greylisted": ProviderClass("greylisted"),
    "espblock": ProviderClass("reputation_block"),
    "hardfail": ProviderClass("unclassified"),
    "old": ProviderClass("gave_up"),
    "webhook": ProviderClass("unclassified"),
    "suppress-bounce": ProviderClass("suppressed_by_provider", "bounced"),
    "suppress-complaint": ProviderClass("suppressed_by_provider", "complained_before"),
    "suppress-unsubscribe": ProviderClass("suppressed_by_provider", "unsubscribed"),
    "605": ProviderClass("suppressed_by_provider", "bounced"),
    "606": ProviderClass("suppressed_by_provider", "unsubscribed"),
    "607": ProviderClass("suppressed_by_provider", "complained_before"),
}
"""`reason` of `failed`, a bounce with its `bounce-type`, and the numbers by which the older forms
name a list: documentation.mailgun.com, "Events", "Webhook Payloads" and "Stats", read 2026-11-24.
The service puts hard bounces on its list, and no others."""

MAILJET: dict[str, ProviderClass] = {
    "user unknown": ProviderClass("address_unknown"),
    "mailbox inactive": ProviderClass("mailbox_disabled"),
    "quota exceeded": ProviderClass("mailbox_full"),
    "blacklisted": ProviderClass("suppressed_by_provider"),
    "spam reporter": ProviderClass("suppressed_by_provider", "complained_before"),
    "invalid domain": ProviderClass("domain_unknown"),
    "no mail host": ProviderClass("receiver_down"),
    "relay/access denied": ProviderClass("policy_refused"),
    "greylisted": ProviderClass("greylisted"),
    "typofix": ProviderClass("address_syntax"),
    "bad or empty template": ProviderClass("render_failed"),
    "error in template language": ProviderClass("render_failed"),
    "sender blocked": ProviderClass("reputation_block"),
    "content blocked": ProviderClass("content_refused"),
    "policy issue": ProviderClass("policy_refused"),
    "system issue": ProviderClass("unclassified"),
    "protocol issue": ProviderClass("unclassified"),
    "connection issue": ProviderClass("routing_or_network"),
    "preblocked": ProviderClass("suppressed_by_provider", "bounced"),
    "spam preblocked": ProviderClass("provider_refused"),
    "duplicate in campaign": ProviderClass("provider_refused"),
    "blocked/user unknown": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/mailbox inactive": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/quota exceeded": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/blacklisted": ProviderClass("suppressed_by_provider"),
    "blocked/spam reporter": ProviderClass("suppressed_by_provider", "complained_before"),
    "blocked/invalid domain": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/no mail host": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/relay/access denied": ProviderClass("provider_refused"),
    "blocked/greylisted": ProviderClass("provider_refused"),
    "blocked/typofix": ProviderClass("address_syntax"),
    "blocked/bad or empty template": ProviderClass("render_failed"),
    "blocked/error in template language": ProviderClass("render_failed"),
    "blocked/sender blocked": ProviderClass("provider_refused"),
    "blocked/content blocked": ProviderClass("provider_refused"),
    "blocked/policy issue": ProviderClass("provider_refused"),
    "blocked/system issue": ProviderClass("provider_refused"),
    "blocked/protocol issue": ProviderClass("provider_refused"),
    "blocked/connection issue": ProviderClass("provider_refused"),
    "blocked/preblocked": ProviderClass("suppressed_by_provider", "bounced"),
    "blocked/spam preblocked": ProviderClass("provider_refused"),
    "blocked/duplicate in campaign": ProviderClass("provider_refused"),
}
"""`error` of `bounce`, and under its name of `blocked`, which is mail that Mailjet kept back:
dev.mailjet.com/email/guides/webhooks, "Possible values for errors", and the `StateID` of
dev.mailjet.com/email/reference/messages, read 2026-11-24."""

BREVO: dict[str, ProviderClass] = {
    "hard_bounce": ProviderClass("address_unknown"),
    "soft_bounce": ProviderClass("gave_up"),
    "invalid_email": ProviderClass("address_unknown"),
    "deferred": ProviderClass("unclassified"),
    "blocked": ProviderClass("suppressed_by_provider"),
    "blocked/unsubscribed": ProviderClass("suppressed_by_provider", "unsubscribed"),
    "error": ProviderClass("provider_refused"),
}
"""The failing events themselves, which have no classes under them; of `blocked` the one cause that
its text tells: developers.brevo.com/docs/transactional-webhooks, read 2026-11-24."""

POSTMARK: dict[str, ProviderClass] = {
    "HardBounce": ProviderClass("address_unknown"),
    "Transient": ProviderClass("routing_or_network"),
    "Unsubscribe": ProviderClass("unsubscribed"),
    "Subscribe": ProviderClass("unclassified"),
    "AutoResponder": ProviderClass("auto_reply"),
    "AddressChange": ProviderClass("auto_reply"),
    "DnsError": ProviderClass("routing_or_network"),
    "SpamNotification": ProviderClass("content_refused"),
    "OpenRelayTest": ProviderClass("unclassified"),
    "Unknown": ProviderClass("unclassified"),
    "SoftBounce": ProviderClass("gave_up"),
    "VirusNotification": ProviderClass("content_refused"),
    "ChallengeVerification": ProviderClass("auto_reply"),
    "BadEmailAddress": ProviderClass("address_syntax"),
    "SpamComplaint": ProviderClass("complained_before"),
    "ManuallyDeactivated": ProviderClass("suppressed_by_provider"),
    "Unconfirmed": ProviderClass("provider_refused"),
    "Blocked": ProviderClass("reputation_block"),
    "SMTPApiError": ProviderClass("provider_refused"),
    "SMTPApiError/inactive": ProviderClass("suppressed_by_provider"),
    "InboundError": ProviderClass("unclassified"),
    "DMARCPolicy": ProviderClass("auth_failed"),
    "TemplateRenderingFailed": ProviderClass("render_failed"),
    "SubscriptionChange/HardBounce": ProviderClass("suppressed_by_provider", "bounced"),
    "SubscriptionChange/SpamComplaint": ProviderClass(
        "suppressed_by_provider", "complained_before"
    ),
    "SubscriptionChange/ManualSuppression": ProviderClass("suppressed_by_provider"),
}
"""`Type` of a bounce, what the list kept back by SMTP, and `SuppressionReason` of a change of the
list: postmarkapp.com/developer, "Bounce API" and "Subscription change webhook", read 2026-11-24."""

RESEND: dict[str, ProviderClass] = {
    "Permanent/General": ProviderClass("address_unknown"),
    "Permanent/NoEmail": ProviderClass("address_unknown"),
    "Permanent/Suppressed": ProviderClass("suppressed_by_provider", "bounced"),
    "Permanent/OnAccountSuppressionList": ProviderClass("suppressed_by_provider"),
    "Permanent/MessageRejected": ProviderClass("policy_refused"),
    "Transient/General": ProviderClass("gave_up"),
    "Transient/MailboxFull": ProviderClass("mailbox_full"),
    "Transient/MessageTooLarge": ProviderClass("message_too_large"),
    "Transient/ContentRejected": ProviderClass("content_refused"),
    "Transient/AttachmentRejected": ProviderClass("attachment_refused"),
    "Undetermined/Undetermined": ProviderClass("unclassified"),
    "OnAccountSuppressionList": ProviderClass("suppressed_by_provider"),
    "failed/reached_daily_quota": ProviderClass("provider_quota"),
}
"""`type/subType` of a bounce, the `type` of what was suppressed, and the `reason` of what failed:
resend.com/docs/dashboard/emails/email-bounces and .../webhooks/emails, read 2026-11-24. Reasons of
`email.failed` are an open list, of which the vendor names one."""

MAILTRAP: dict[str, ProviderClass] = {
    "transientfail": ProviderClass("receiver_down"),
    "greylisting": ProviderClass("greylisted"),
    "badsender": ProviderClass("sender_refused"),
    "block": ProviderClass("policy_refused"),
    "content": ProviderClass("content_refused"),
    "spam": ProviderClass("content_refused"),
    "dnsFail": ProviderClass("routing_or_network"),
    "generalfail": ProviderClass("unclassified"),
    "bounce": ProviderClass("address_ambiguous"),
    "soft bounce": ProviderClass("unclassified"),
    "suspension": ProviderClass("provider_refused"),
    "reject": ProviderClass("provider_refused"),
    "reject/unsubscription": ProviderClass("suppressed_by_provider", "unsubscribed"),
    "reject/spam complaint": ProviderClass("suppressed_by_provider", "complained_before"),
    "reject/hard bounce": ProviderClass("suppressed_by_provider", "bounced"),
    "reject/suppression list": ProviderClass("suppressed_by_provider"),
}
"""`bounce_category`, the failing events without one, and a rejection by what its reason says of the
list: docs.mailtrap.io/email-api-smtp, "Webhooks" and "Bounce Categorization", read 2026-11-24."""

MAILERSEND: dict[str, ProviderClass] = {
    "hard_bounced": ProviderClass("address_unknown"),
    "soft_bounced": ProviderClass("gave_up"),
    "deferred": ProviderClass("unclassified"),
    "suppressed": ProviderClass("suppressed_by_provider"),
    "suppressed/on_hold": ProviderClass("suppressed_by_provider"),
}
"""The failing activities themselves, which have no classes under them, and what was kept back by
its reason: developers.mailersend.com/api/v1/account/webhooks, read 2026-11-24."""

POSTAL: dict[str, ProviderClass] = {
    "MessageDeliveryFailed": ProviderClass("unclassified"),
    "MessageDeliveryFailed/spam": ProviderClass("provider_refused"),
    "MessageDeliveryFailed/own": ProviderClass("provider_refused"),
    "MessageDelayed": ProviderClass("unclassified"),
    "MessageHeld": ProviderClass("unclassified"),
    "MessageHeld/send limit": ProviderClass("provider_quota"),
    "MessageHeld/suppression list": ProviderClass("suppressed_by_provider", "bounced"),
    "MessageBounced": ProviderClass("unclassified"),
}
"""The failing events, and what their details make of them: docs.postalserver.io/developer/webhooks,
read 2026-11-24. Postal lists an address after hard failures, and calls all mail a bounce that comes
back to the return path."""

PROVIDER_CLASSES: dict[str, dict[str, ProviderClass]] = {
    "mailgun": MAILGUN,
    "mailjet": MAILJET,
    "brevo": BREVO,
    "mailersend": MAILERSEND,
    "mailtrap": MAILTRAP,
    "postal": POSTAL,
    "postmark": POSTMARK,
    "resend": RESEND,
    "ses": SES,
    "sendgrid": SENDGRID,
    "sparkpost": SPARKPOST,
}
"""The tables, by provider."""

LIST_TEXTS: tuple[str, ...] = (
    "recipient address was suppressed",
    "recipient address suppressed",
    "suppression list",
    "previously bounced address",
    "on our suppression",
)
"""Words by which a provider says that its own list kept the mail back: SparkPost class 25, Amazon
SES OnAccountSuppressionList, Mailgun "Not delivering to previously bounced address"."""

QUOTA_TEXTS: tuple[str, ...] = (
    "over package quota",
    "maximum credits exceeded",
    "daily message quota exceeded",
    "sending quota exceeded",
)
"""Words by which a provider says that our allowance is used up: SendGrid, Amazon SES."""

NEVER_SUPPRESSES: frozenset[tuple[str, str]] = frozenset(
    {("sendgrid", "blocked"), ("smtp", "forwarded"), ("dsn", "forwarded")}
)
"""(provider, its type) of refusals that the provider itself calls no fault of the address, and of
failures behind an address that is forwarded: the address itself took the mail."""


def class_of(provider: str, provider_class: str) -> ProviderClass | None:
    """The row of a provider's class; None for one that has no row."""
    return PROVIDER_CLASSES.get(provider, {}).get(provider_class)
