"""What SMTP codes mean by themselves, and how to find them in a server's words.

Enhanced codes: IANA registry "SMTP Enhanced Status Codes" (RFC 3463, 5248, 6531, 7293, 7372, 7505,
8689; read 2026-11-24). Microsoft: "Non-delivery reports in Exchange Online" (learn.microsoft.com).
Google: "Gmail SMTP errors and codes" (support.google.com/a/answer/3726730).
"""

import re

TEXT_EXAMINED_CHARS = 16_384
"""The most of a text that is read: replies are short, and hostile ones must not cost time."""

ENHANCED: dict[str, str] = {
    "0.0": "unclassified",
    "1.0": "address_ambiguous",
    "1.1": "address_unknown",
    "1.2": "domain_unknown",
    "1.3": "address_syntax",
    "1.4": "address_ambiguous",
    "1.5": "unclassified",
    "1.6": "mailbox_moved",
    "1.7": "sender_refused",
    "1.8": "sender_refused",
    "1.9": "unclassified",
    "1.10": "domain_no_mail",
    "2.0": "unclassified",
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "message_too_large",
    "2.4": "unclassified",
    "3.0": "receiver_down",
    "3.1": "receiver_down",
    "3.2": "receiver_down",
    "3.3": "charset_unsupported",
    "3.4": "message_too_large",
    "3.5": "receiver_down",
    "3.6": "unclassified",
    "4.0": "routing_or_network",
    "4.1": "receiver_down",
    "4.2": "receiver_down",
    "4.3": "routing_or_network",
    "4.4": "domain_unknown",
    "4.5": "receiver_down",
    "4.6": "routing_or_network",
    "4.7": "gave_up",
    "5.0": "unclassified",
    "5.1": "unclassified",
    "5.2": "unclassified",
    "5.3": "rate_limited",
    "5.4": "unclassified",
    "5.5": "unclassified",
    "5.6": "unclassified",
    "6.0": "content_refused",
    "6.1": "attachment_refused",
    "6.2": "content_refused",
    "6.3": "content_refused",
    "6.4": "content_refused",
    "6.5": "content_refused",
    "6.6": "content_refused",
    "6.7": "charset_unsupported",
    "6.8": "charset_unsupported",
    "6.9": "charset_unsupported",
    "6.10": "charset_unsupported",
    "7.0": "policy_refused",
    "7.1": "policy_refused",
    "7.2": "policy_refused",
    "7.3": "policy_refused",
    "7.4": "policy_refused",
    "7.5": "policy_refused",
    "7.6": "policy_refused",
    "7.7": "content_refused",
    "7.8": "policy_refused",
    "7.9": "policy_refused",
    "7.10": "tls_required",
    "7.11": "tls_required",
    "7.12": "policy_refused",
    "7.13": "policy_refused",
    "7.14": "policy_refused",
    "7.15": "policy_refused",
    "7.16": "message_too_large",
    "7.17": "mailbox_moved",
    "7.18": "mailbox_moved",
    "7.19": "unclassified",
    "7.20": "auth_failed",
    "7.21": "auth_failed",
    "7.22": "auth_failed",
    "7.23": "auth_failed",
    "7.24": "auth_failed",
    "7.25": "ptr_or_ip_config",
    "7.26": "auth_failed",
    "7.27": "sender_refused",
    "7.28": "rate_limited",
    "7.29": "auth_failed",
    "7.30": "tls_required",
}
"""Subject and detail of every registered code to a reason, whatever its class."""

TEMPORARY_ENHANCED: dict[str, str] = {
    "2.0": "receiver_down",
    "2.1": "rate_limited",
    "3.3": "receiver_down",
    "4.4": "routing_or_network",
}
"""Where a 4.y.z says something else than the 5.y.z: RFC 3463 3.3 and Gmail's 4.2.1."""

PERMANENT_ENHANCED: dict[str, str] = {
    "3.0": "unclassified",
    "3.5": "unclassified",
}
"""Where a 5.y.z says less than the 4.y.z: many servers send 5.3.0 for anything."""

OPERATOR_ENHANCED: dict[tuple[str, str], str] = {
    ("gmail", "7.29"): "tls_required",
    ("gmail", "7.30"): "auth_failed",
    ("gmail", "7.32"): "auth_failed",
    ("gmail", "7.40"): "auth_failed",
    ("microsoft", "1.10"): "address_unknown",
    ("microsoft", "2.14"): "address_ambiguous",
    ("microsoft", "4.300"): "gave_up",
    ("microsoft", "4.310"): "domain_unknown",
    ("microsoft", "4.312"): "domain_unknown",
    ("microsoft", "4.316"): "gave_up",
    ("microsoft", "4.317"): "tls_required",
    ("microsoft", "7.321"): "tls_required",
    ("microsoft", "7.322"): "tls_required",
    ("microsoft", "7.323"): "tls_required",
    ("microsoft", "7.324"): "tls_required",
    ("microsoft", "7.325"): "tls_required",
    ("microsoft", "6.11"): "charset_unsupported",
}
"""Codes that one operator uses in its own way, against the registry or beside it."""

BEYOND_REGISTRY: dict[str, str] = {
    "1.90": "rate_limited",
    "2.121": "rate_limited",
    "2.122": "rate_limited",
    "7.124": "sender_not_permitted",
    "7.129": "sender_not_permitted",
    "7.133": "sender_not_permitted",
    "7.134": "sender_not_permitted",
    "7.135": "sender_not_permitted",
    "7.136": "sender_not_permitted",
    "7.509": "auth_failed",
    "7.512": "content_refused",
    "7.515": "auth_failed",
    "7.705": "rate_limited",
}
"""Microsoft's numbers that nobody else uses, so that the operator need not be known."""

REPUTATION_DETAILS = range(500, 800)
"""Microsoft 5.7.500 to 5.7.799: spam, banned IP, blocked tenant, low reputation."""

SUBJECTS: dict[str, str] = {
    "0": "unclassified",
    "1": "address_ambiguous",
    "2": "unclassified",
    "3": "unclassified",
    "4": "routing_or_network",
    "5": "unclassified",
    "6": "content_refused",
    "7": "policy_refused",
}
"""Codes with an unregistered detail: the least that their subject allows to say."""

REPLY: dict[int, str] = {
    421: "receiver_down",
    450: "receiver_down",
    451: "receiver_down",
    452: "receiver_down",
    454: "receiver_down",
    455: "receiver_down",
    530: "policy_refused",
    535: "policy_refused",
    551: "address_ambiguous",
    552: "mailbox_full",
    553: "address_ambiguous",
    556: "domain_no_mail",
}
"""RFC 5321 4.2.3 and RFC 7504, where the reply code alone says something."""

_REPLY_THEN_ENHANCED = re.compile(
    r"(?<![\d.])([245][0-5]\d)[\s\-#:;,(\['\"]{0,4}([245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)"
)
_ENHANCED = re.compile(r"(?:^|[\s(\[#:;<\"'=,>-])([245]\.[0-7]\.\d{1,3})(?!\d|\.\d|\w)")
_REPLY = re.compile(
    r"(?:^|\n|;|: |said:? |code |error |\(|\[|<|\")\s{0,4}([245][0-5]\d)(?=[\s\-#:;,.)<]|$)"
)
_BEFORE_A_VERSION = re.compile(
    r"\b(?:version|ver|v|exim|postfix|sendmail|release|mailer|esmtp|agent|build|qmail)[\s/_-]{0,2}$",
    re.IGNORECASE,
)
_FAILURE = re.compile(r"[45]\.(\d)\.(\d{1,3})", re.ASCII)
_ENVELOPE = re.compile(r"^\s{0,9}(?:x-)?(?:smtp|unix|lmtp|postfix)\s{0,9};\s{0,9}", re.IGNORECASE)


def extract_codes(text: str) -> tuple[int | None, str | None]:
    """The reply code and the enhanced code in a server's words; None for what is not there.

    Reads `550-5.1.1`, `smtp; 550 5.1.1`, `(#5.1.1)`, codes glued together and several lines, and
    leaves IP addresses, sizes and version numbers alone.
    """
    words = _ENVELOPE.sub("", text[:TEXT_EXAMINED_CHARS])
    both = _REPLY_THEN_ENHANCED.search(words)
    if both and _is_enhanced(both[2]):
        return int(both[1]), both[2]
    return _reply_code(words), _enhanced_code(words)


def _is_enhanced(code: str) -> bool:
    """Whether the subject is one of the eight that RFC 3463 knows."""
    return code[2] in "01234567" and code[3] == "."


def _enhanced_code(words: str) -> str | None:
    for match in _ENHANCED.finditer(words):
        start = match.start(1)
        if not _BEFORE_A_VERSION.search(words[max(0, start - 12) : start]):
            return match[1]
    return None


def _reply_code(words: str) -> int | None:
    match = _REPLY.search(words)
    return int(match[1]) if match else None


def by_enhanced(code: str, operator: str | None, temporary: bool) -> str | None:
    """The reason that an enhanced code gives; None where it is no code of RFC 3463."""
    found = _FAILURE.fullmatch(code)
    if found is None:
        return None
    subject, detail = found[1], int(found[2])
    key = f"{subject}.{detail}"
    own = OPERATOR_ENHANCED.get((operator or "", key)) or BEYOND_REGISTRY.get(key)
    if own:
        return own
    by_class = TEMPORARY_ENHANCED if temporary else PERMANENT_ENHANCED
    return by_class.get(key) or ENHANCED.get(key) or _by_subject(subject, detail)


def _by_subject(subject: str, detail: int) -> str | None:
    if subject == "7" and detail in REPUTATION_DETAILS:
        return "reputation_block"
    return SUBJECTS.get(subject)


def by_reply(code: int) -> str:
    """The reason that a reply code alone gives."""
    return REPLY.get(code, "receiver_down" if 400 <= code < 500 else "unclassified")
