"""All settings, read once from the environment: Django's and ours (`POSTROOM_...`).

Each of ours is one call with its default, unit and reason; `docs/settings.md` is that table.
A value that cannot be used ends the start with one sentence (ConfigurationError).
"""

import gc
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from postroom.domain import retry
from postroom.domain.address import AddressError, parse_address
from postroom.domain.forwarded import networks
from postroom.management import embedded
from postroom.management.environment import ConfigurationError, Environment, is_endpoint
from postroom.management.secret_file import read_or_make

_environment = Environment()
_text, _text_or_unset = _environment.text, _environment.text_or_unset
_secret, _secrets, _file = _environment.secret, _environment.secrets, _environment.file
_whole, _whole_or_unset = _environment.whole, _environment.whole_or_unset
_port, _port_or_unset = _environment.port, _environment.port_or_unset
_seconds = _environment.seconds

# Every process reads this file. A call to 100,000 recipients makes millions of objects, none of
# them in a cycle; looking for cycles each 700 of them, as Python does unasked, took a third of it.
gc.set_threshold(50_000, 20, 50)

# Where things are

POSTROOM_DATA = Path(
    _text("POSTROOM_DATA", ".postroom", "directory", "The embedded database and generated secrets.")
).absolute()

_database_url = _secret(
    "DATABASE_URL", "URL", "PostgreSQL 15 or newer; unset: an embedded PostgreSQL 18 starts itself."
)
POSTROOM_EMBEDDED = _database_url is None
POSTROOM_DATABASE_DSN = _database_url or embedded.dsn(POSTROOM_DATA)
POSTROOM_DATABASE_CONNECTIONS_MAX = _whole(
    "POSTROOM_DATABASE_CONNECTIONS_MAX",
    16,
    "connections of one process",
    "Concurrent statements above a few per core wait in the server anyway.",
)

# Doors

POSTROOM_BIND = _text(
    "POSTROOM_BIND", "127.0.0.1", "IP address", "Nothing is open to the network unasked."
)
POSTROOM_HTTP_PORT = _port(
    "POSTROOM_HTTP_PORT", 8025, "API, notifications of providers, health, metrics."
)
POSTROOM_SMTP_PORT = _port(
    "POSTROOM_SMTP_PORT", 2525, "Submission with AUTH; above 1024, so it needs no root."
)
POSTROOM_SMTPS_PORT = _port_or_unset(
    "POSTROOM_SMTPS_PORT", "Submission under implicit TLS (465 in production); unset: off."
)
POSTROOM_SMTP_RELAY_PORT = _port_or_unset(
    "POSTROOM_SMTP_RELAY_PORT",
    "The listener that knows clients by their network (25 in production); unset: off.",
)
POSTROOM_SIMULATOR_PORT = _port(
    "POSTROOM_SIMULATOR_PORT", 8026, "The simulated provider's HTTP face."
)
_public_url = _text_or_unset(
    "POSTROOM_PUBLIC_URL",
    "URL",
    "Where providers and readers reach the web role; unset: the local HTTP port, and links of"
    " simulated mail alone lead there.",
)
POSTROOM_IS_PUBLIC = _public_url is not None
POSTROOM_PUBLIC_URL = (_public_url or f"http://127.0.0.1:{POSTROOM_HTTP_PORT}").rstrip("/")
_proxies = _text_or_unset(
    "POSTROOM_PROXIES",
    "networks",
    "Reverse proxies of yours, such as `10.0.0.0/8, 127.0.0.1`: what they say of a reader's address"
    " (X-Forwarded-For) is believed.",
)
try:
    POSTROOM_PROXIES = () if _proxies is None else networks(_proxies)
except ValueError as error:
    raise ConfigurationError(f"POSTROOM_PROXIES cannot be used: {error}.") from None
POSTROOM_TLS_CERT = _file(
    "POSTROOM_TLS_CERT", "PEM file", "Unset: a self-signed one is made in POSTROOM_DATA."
)
POSTROOM_TLS_KEY = _file("POSTROOM_TLS_KEY", "PEM file", "The private key of POSTROOM_TLS_CERT.")
if (POSTROOM_TLS_CERT is None) != (POSTROOM_TLS_KEY is None):
    raise ConfigurationError("POSTROOM_TLS_CERT and POSTROOM_TLS_KEY are set together, or neither.")
POSTROOM_WEB_WORKERS = _whole(
    "POSTROOM_WEB_WORKERS", 2, "processes", "One fills a core; two are for the smallest machine."
)
POSTROOM_WEB_THREADS = _whole(
    "POSTROOM_WEB_THREADS",
    64,
    "threads of one worker",
    "Only requests that wait together share a commit.",
)
POSTROOM_SMTP_PROCESSES = _whole(
    "POSTROOM_SMTP_PROCESSES", 2, "processes", "They share the ports; one for each core at most."
)

POSTROOM_POSTMASTER = _text_or_unset(
    "POSTROOM_POSTMASTER",
    "address",
    "Gets what comes to postmaster@ and abuse@ of our domains; unset: such mail is refused.",
)
try:
    if POSTROOM_POSTMASTER is not None:
        parse_address(POSTROOM_POSTMASTER)
except AddressError as error:
    raise ConfigurationError(f"POSTROOM_POSTMASTER cannot be used: {error}") from None

POSTROOM_DNS = _text(
    "POSTROOM_DNS",
    "system",
    "`system`, `off`, or ADDRESS:PORT",
    "The resolver that is asked whether sender domains' records are published.",
)
if POSTROOM_DNS not in ("system", "off") and not is_endpoint(POSTROOM_DNS):
    raise ConfigurationError("POSTROOM_DNS is `system`, `off`, or a resolver as ADDRESS:PORT.")

# Limits of one submission

POSTROOM_BODY_BYTES_MAX = _whole(
    "POSTROOM_BODY_BYTES_MAX",
    64 * 1024**2,
    "bytes",
    "200,000 recipients with some 200 bytes of fields each, and 20 MiB of content.",
)
POSTROOM_RECIPIENTS_MAX = _whole(
    "POSTROOM_RECIPIENTS_MAX",
    200_000,
    "recipients",
    "A whole field force in one call, in one transaction of some seconds.",
)
POSTROOM_HEADERS_MAX = _whole(
    "POSTROOM_HEADERS_MAX", 100, "headers", "Real mail has fewer than 60; parsing stays linear."
)
POSTROOM_HEADER_BYTES_MAX = _whole(
    "POSTROOM_HEADER_BYTES_MAX",
    64 * 1024,
    "bytes of all headers",
    "Large receivers refuse header blocks above 64 KiB.",
)
POSTROOM_ATTACHMENTS_MAX = _whole(
    "POSTROOM_ATTACHMENTS_MAX", 100, "attachments", "More than any provider takes in one mail."
)
POSTROOM_SMTP_RCPT_MAX = _whole(
    "POSTROOM_SMTP_RCPT_MAX",
    5_000,
    "recipients of one SMTP mail",
    "RFC 5321 (4.5.3.1.8) asks for 100 at least; then 452 and the client goes on.",
    least=100,
)
POSTROOM_SMTP_MESSAGE_BYTES_MAX = _whole(
    "POSTROOM_SMTP_MESSAGE_BYTES_MAX",
    64 * 1024**2,
    "bytes",
    "As over HTTP; providers stop at 20 to 40 MiB.",
)
POSTROOM_SEND_AT_DAYS_MAX = _whole(
    "POSTROOM_SEND_AT_DAYS_MAX",
    400,
    "days",
    "A yearly mail fits; a mistyped year does not wait for a decade.",
)
POSTROOM_URGENT_PER_DAY = _whole(
    "POSTROOM_URGENT_PER_DAY",
    10_000,
    "urgent recipients of one application",
    "Codes and alarms for some thousands; a broadcast that is marked urgent goes as normal.",
    least=0,
)

# Sending

POSTROOM_CALL_TIMEOUT_S = _seconds(
    "POSTROOM_CALL_TIMEOUT_S", 60, "The slowest honest provider answers take half of that."
)
POSTROOM_LEASE_S = _seconds(
    "POSTROOM_LEASE_S",
    300,
    "Above the longest call with its composition, or two senders hold one delivery.",
)
if POSTROOM_LEASE_S <= POSTROOM_CALL_TIMEOUT_S:
    raise ConfigurationError("POSTROOM_LEASE_S must be above POSTROOM_CALL_TIMEOUT_S.")
POSTROOM_CALLS_IN_FLIGHT_MAX = _whole(
    "POSTROOM_CALLS_IN_FLIGHT_MAX",
    32,
    "calls of one sender",
    "A quarter is kept for urgent mail. At 300 ms a call and 1,000 recipients in each, the others"
    " take 100,000 in 1.3 s.",
)
POSTROOM_CLAIM_BATCH = _whole(
    "POSTROOM_CLAIM_BATCH", 1_000, "deliveries", "Larger claims were no faster when measured."
)
POSTROOM_BATCH_MAX = _whole_or_unset(
    "POSTROOM_BATCH_MAX", "recipients of one call", "Unset: as many as the provider takes."
)
POSTROOM_IDLE_POLL_S = _seconds(
    "POSTROOM_IDLE_POLL_S", 0.25, "How long a role with nothing to do waits before it looks again."
)
POSTROOM_FAILOVER_REST_S = _seconds(
    "POSTROOM_FAILOVER_REST_S",
    600,
    "How long an account rests whose calls failed, and then takes to carry all it did before; so"
    " roads change twice within that time at the most.",
)

# Hearing back

POSTROOM_DOUBT_WINDOW_S = _seconds(
    "POSTROOM_DOUBT_WINDOW_S",
    int(retry.DOUBT_WINDOW.total_seconds()),
    "How long an unknown hand-over waits for proof; providers' first events take a minute (p99).",
)
POSTROOM_SILENCE_S = _seconds(
    "POSTROOM_SILENCE_S",
    int(retry.SILENCE.total_seconds()),
    "Providers try for 72 hours; then no word is coming.",
)
POSTROOM_SILENCE_DEFERRED_S = _seconds(
    "POSTROOM_SILENCE_DEFERRED_S",
    int(retry.SILENCE_AFTER_DEFERRAL.total_seconds()),
    "After a deferral: 72 hours of tries and a day.",
)

POSTROOM_QUARANTINE_S = _seconds(
    "POSTROOM_QUARANTINE_S",
    6 * 3600,
    "How long failures of a domain that fails too many at once are not believed; then each address"
    " has one trial. The longest such storm that is known went on for half a day, with pauses.",
)

POSTROOM_SPOOL_BYTES_MAX = _whole(
    "POSTROOM_SPOOL_BYTES_MAX",
    256 * 1024**2,
    "bytes",
    "Notifications on this machine's disk while the database is away: 400,000 that tell of one"
    " event each, two days of 2,000,000 mails a month.",
)

# Accounts

POSTROOM_ACCOUNT_SETTINGS = _secrets(
    "POSTROOM_ACCOUNT_",
    "POSTROOM_ACCOUNT_<NAME>_<SETTING>",
    "text",
    "A setting of the account NAME that stays out of the database; it goes before a sealed one. In"
    " upper case, with `_` for all but A to Z and 0 to 9.",
)

# Django

SECRET_KEY = POSTROOM_SECRET_KEY = _secret(
    "POSTROOM_SECRET_KEY",
    "text",
    "Signs return paths and tracking addresses, and seals account settings; unset: made once in"
    " POSTROOM_DATA.",
) or read_or_make(embedded.directory(POSTROOM_DATA) / "secret-key")

POSTROOM_SECRET_KEY_PREVIOUS = _secret(
    "POSTROOM_SECRET_KEY_PREVIOUS",
    "text",
    "The secret before this one: what it sealed opens, and its return paths and links are still"
    " known.",
)

POSTROOM_LOG_LEVEL = _text(
    "POSTROOM_LOG_LEVEL",
    "INFO",
    "DEBUG, INFO, WARNING, ERROR",
    "To standard error, without addresses.",
)

POSTROOM_TABLE = _environment.table

_connection = conninfo_to_dict(POSTROOM_DATABASE_DSN)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _connection.pop("dbname", ""),
        "USER": _connection.pop("user", ""),
        "PASSWORD": _connection.pop("password", ""),
        "HOST": _connection.pop("host", ""),
        "PORT": _connection.pop("port", ""),
        "OPTIONS": _connection,
    }
}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "postroom.ledger",
]
ROOT_URLCONF = "postroom.urls"
MIDDLEWARE = ["postroom.management.edge.Edge"]
# Links into the house are built from POSTROOM_PUBLIC_URL alone, never from a Host header.
ALLOWED_HOSTS = ["*"]
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = POSTROOM_BODY_BYTES_MAX
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": POSTROOM_LOG_LEVEL},
    # It names the paths of refused requests, and paths of webhooks hold secrets.
    "loggers": {"django.request": {"level": "CRITICAL"}},
}
