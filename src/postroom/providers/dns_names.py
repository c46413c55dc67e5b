"""The full names of DNS records, which providers write whole or without their end."""


def full_name(told: str, domain: str) -> str:
    """The full name of a record for this domain, in lower case and without the dot at its end.

    Told may be the whole name, or one that goes on with the domain, or with what lies above the
    domain: for `mail.example.com`, `x._domainkey` and `x._domainkey.mail` are the same. `@` is the
    domain itself.
    """
    name, own = told.strip().rstrip(".").lower(), domain.split(".")
    labels = [] if name in ("", "@") else name.split(".")
    shared = next(
        size
        for size in range(min(len(labels), len(own)), -1, -1)
        if labels[len(labels) - size :] == own[:size]
    )
    return ".".join(labels[: len(labels) - shared] + own)
