"""The table of reasons: the answer to "why not?", with fault, advice and weight for the address."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who has to act."""

    RECIPIENT = "recipient"
    """The address or its owner's mailbox."""
    SENDER = "sender"
    """What we send, from where, how often."""
    PROVIDER = "provider"
    """The service that carries our mail."""
    RECEIVER = "receiver"
    """The recipient's mail system or its administrator."""
    US = "us"
    """Postroom, or the application that wrote the mail."""
    UNKNOWN = "unknown"
    """Nobody can tell from what was said."""


class Suppress(StrEnum):
    """What one event alone means for the address."""

    NOW = "now"
    """Stop at once: this address will not work again, or its owner complained."""
    ON_REPEAT = "on_repeat"
    """Stop only when the same is said again, on other days."""
    NO = "no"
    """Says nothing against the address."""


class Permanence(StrEnum):
    """Whether this recipient will fail again."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table of reasons."""

    name: str
    fault: Fault
    permanence: Permanence | None
    """None: no failure, or nothing that the recipient could fail at again."""
    suppress: Suppress
    """The most that this reason may do to the address; a 4.y.z never does `now`."""
    advice: str
    """What to do about it, for a person who has never seen an SMTP reply."""
    source: str
    stands_when_given_up: bool = True
    """Whether a temporary failure keeps it when the provider stops trying; else `gave_up`."""
    meanwhile: str | None = None
    """The reason that a temporary refusal with these words has instead: 4 is not 5."""
    alarm: bool = False
    """Whether operators must hear of it: other mail is likely to fail for the same reason."""


_PERM, _TEMP = Permanence.PERMANENT, Permanence.TEMPORARY
_NOW, _REPEAT, _NO = Suppress.NOW, Suppress.ON_REPEAT, Suppress.NO

_ROWS = (
    Reason(
        "address_unknown",
        Fault.RECIPIENT,
        _PERM,
        _NOW,
        "There is no mailbox with this address. Ask the person for the right address.",
        "RFC 3463 3.2 (X.1.1)",
        False,
        "receiver_down",
    ),
    Reason(
        "address_syntax",
        Fault.RECIPIENT,
        _PERM,
        _NOW,
        "The address is written wrongly. Correct it where it is kept.",
        "RFC 3463 3.2 (X.1.3)",
        False,
        "receiver_down",
    ),
    Reason(
        "address_ambiguous",
        Fault.RECIPIENT,
        _PERM,
        _NO,
        "The server cannot tell whose mailbox this is. Check the address with the person.",
        "RFC 3463 3.2 (X.1.0, X.1.4)",
        False,
        "receiver_down",
    ),
    Reason(
        "domain_unknown",
        Fault.RECIPIENT,
        _PERM,
        _REPEAT,
        "The part after the @ is no mail domain. Check the spelling with the person.",
        "RFC 3463 3.2 (X.1.2), 3.5 (X.4.4)",
        False,
        "routing_or_network",
    ),
    Reason(
        "domain_no_mail",
        Fault.RECIPIENT,
        _PERM,
        _NOW,
        "This domain says that it takes no mail at all. Ask the person for another address.",
        "RFC 7505 4.1 (X.1.10, reply 556)",
        False,
        "routing_or_network",
    ),
    Reason(
        "mailbox_disabled",
        Fault.RECIPIENT,
        _PERM,
        _REPEAT,
        "The mailbox is switched off. Ask the person to open it, or for another address.",
        "RFC 3463 3.3 (X.2.1)",
        False,
        "receiver_down",
    ),
    Reason(
        "mailbox_moved",
        Fault.RECIPIENT,
        _PERM,
        _NOW,
        "The mailbox has moved or changed its owner. Ask the person for the new address.",
        "RFC 3463 3.2 (X.1.6); RFC 7293 8 (X.7.17, X.7.18)",
        False,
        "receiver_down",
    ),
    Reason(
        "mailbox_full",
        Fault.RECIPIENT,
        _TEMP,
        _REPEAT,
        "The mailbox is full. Ask the person to make room, then send again.",
        "RFC 3463 3.3 (X.2.2)",
    ),
    Reason(
        "rate_limited",
        Fault.SENDER,
        _TEMP,
        _NO,
        "Too much mail came in a short time. It is tried again more slowly; nothing to do.",
        "RFC 3463 3.3 (4.2.1); IANA X.7.28; Gmail and Yahoo reply texts",
        alarm=True,
    ),
    Reason(
        "greylisted",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "The server asks strangers to come back later. It is tried again; nothing to do.",
        "RFC 6647",
        False,
    ),
    Reason(
        "receiver_down",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "The receiving system cannot take mail right now. It is tried again; nothing to do.",
        "RFC 3463 3.4 (X.3.2), 3.5 (X.4.1, X.4.2, X.4.5)",
        False,
    ),
    Reason(
        "routing_or_network",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "No way leads to the receiving mail system. Its administrator has to look at it.",
        "RFC 3463 3.5 (X.4.3, X.4.4, X.4.6)",
        False,
    ),
    Reason(
        "gave_up",
        Fault.RECEIVER,
        _TEMP,
        _REPEAT,
        "The receiving server put the mail off until trying was ended. Send it again.",
        "RFC 3463 3.5 (X.4.7)",
    ),
    Reason(
        "message_too_large",
        Fault.SENDER,
        _TEMP,
        _NO,
        "The mail is larger than this mailbox takes. Send a smaller one, or a link.",
        "RFC 3463 3.3 (X.2.3), 3.4 (X.3.4)",
    ),
    Reason(
        "attachment_refused",
        Fault.SENDER,
        _TEMP,
        _NO,
        "An attachment was refused as dangerous or not allowed. Send it another way.",
        "RFC 3463 3.7 (X.6.1); Gmail reply text BlockedMessage",
    ),
    Reason(
        "content_refused",
        Fault.SENDER,
        _TEMP,
        _NO,
        "Words or links looked like unwanted mail. The author has to change the mail.",
        "RFC 3463 3.7 (X.6.0), 3.8 (X.7.1)",
    ),
    Reason(
        "charset_unsupported",
        Fault.US,
        _TEMP,
        _NO,
        "The receiving server cannot take mail in this form. It is ours to mend: report it.",
        "RFC 3463 3.4 (X.3.3); RFC 6531 (X.6.7 to X.6.9)",
        alarm=True,
    ),
    Reason(
        "reputation_block",
        Fault.SENDER,
        _TEMP,
        _NO,
        "The receiving side blocks our servers or our domain. Operators have been told.",
        "Microsoft, Yahoo, Gmail and block-list reply texts",
        alarm=True,
    ),
    Reason(
        "policy_refused",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "A rule of the receiving side refused the mail. Ask its administrator to allow it.",
        "RFC 3463 3.8 (X.7.1, X.7.2)",
        False,
    ),
    Reason(
        "sender_refused",
        Fault.SENDER,
        _TEMP,
        _NO,
        "The address we send from was refused. Operators have been told.",
        "RFC 3463 3.2 (X.1.7, X.1.8); RFC 7505 4.2 (X.7.27)",
        alarm=True,
    ),
    Reason(
        "sender_not_permitted",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "This mailbox or group takes mail only from chosen senders. Its administrator has to let "
        "external senders write to it, or the domain is routed by the internal relay.",
        "Microsoft: NDR codes 5.7.124, 5.7.133, 5.7.134",
    ),
    Reason(
        "auth_failed",
        Fault.SENDER,
        _TEMP,
        _NO,
        "Proof of our domain (SPF, DKIM, DMARC) was not accepted. Operators have been told.",
        "RFC 7372 3 (X.7.20 to X.7.26)",
        alarm=True,
    ),
    Reason(
        "ptr_or_ip_config",
        Fault.PROVIDER,
        _TEMP,
        _NO,
        "The sending server's name does not fit its number. The provider has to mend it.",
        "RFC 7372 3.3 (X.7.25)",
        alarm=True,
    ),
    Reason(
        "tls_required",
        Fault.RECEIVER,
        _TEMP,
        _NO,
        "The mail systems agreed on no encrypted connection. Operators can look at it.",
        "RFC 5248 (X.7.10); RFC 8689 (X.7.30)",
    ),
    Reason(
        "suppressed_by_us",
        Fault.RECIPIENT,
        None,
        _NO,
        "Not sent: this address failed or complained before. See what it says there.",
        "our own suppressions",
    ),
    Reason(
        "suppressed_by_provider",
        Fault.PROVIDER,
        None,
        _NO,
        "Not sent: the address is on the provider's list of addresses it does not write to.",
        "provider classes",
    ),
    Reason(
        "complained_before",
        Fault.RECIPIENT,
        None,
        _NOW,
        "The person reported our mail as unwanted. Do not write again unless they ask for it.",
        "RFC 5965 (feedback type abuse)",
    ),
    Reason(
        "unsubscribed",
        Fault.RECIPIENT,
        None,
        _NO,
        "The person asked for no more mail of this kind.",
        "RFC 8058",
    ),
    Reason(
        "provider_refused",
        Fault.PROVIDER,
        None,
        _NO,
        "The provider refused to carry the mail. Operators have been told.",
        "provider classes",
        alarm=True,
    ),
    Reason(
        "provider_quota",
        Fault.PROVIDER,
        None,
        _NO,
        "Our allowance with the provider is used up. Operators have been told.",
        "provider classes",
        alarm=True,
    ),
    Reason(
        "render_failed",
        Fault.US,
        None,
        _NO,
        "A field of the mail had no value for this person. The application has to give it.",
        "domain/template.py",
        alarm=True,
    ),
    Reason(
        "auto_reply",
        Fault.RECIPIENT,
        None,
        _NO,
        "An automatic answer came back; the mail arrived.",
        "RFC 3834",
    ),
    Reason(
        "unclassified",
        Fault.UNKNOWN,
        _TEMP,
        _NO,
        "The receiving side said no without a reason we know. Read its own words below.",
        "RFC 3463 (X.0.0, X.5.0)",
        False,
    ),
)

REASONS: dict[str, Reason] = {row.name: row for row in _ROWS}
"""Every reason, by its name."""
