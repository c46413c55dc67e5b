"""Configuration tables: who may submit, and through which accounts mail leaves.

The ledger proper (messages, deliveries, events ...) is plain SQL in `migrations/0001_ledger.sql`.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Application(models.Model):
    """An internal system that submits mail."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=100, unique=True)
    from_domains = ArrayField(models.TextField(), default=list)
    """From domains allowed on the relay listener; keys carry their own."""
    allow_list = ArrayField(models.TextField(), default=list)
    """Addresses and domains that its `team` keys may write to."""
    join_repeats = models.BooleanField(default=False)
    """A repeat of Message-ID, envelope and body within 24 h by SMTP is the same message."""
    refuse_suppressed = models.BooleanField(default=False)
    """Answer 550 at RCPT for a suppressed recipient, instead of 250 and a record."""
    relay_urgent = models.BooleanField(default=False)
    """Mail on the relay listener may ask for lane urgent; keys need the scope `urgent`."""
    recipients_per_s = models.IntegerField(null=True)
    """None: no limit."""
    recipients_per_day = models.IntegerField(null=True)
    """None: no limit."""
    urgent_per_day = models.IntegerField(null=True)
    """Urgent recipients of a day; None: POSTROOM_URGENT_PER_DAY."""
    track = ArrayField(models.TextField(), default=list)
    """`opens` and `clicks`, where they are counted unless a message says otherwise."""
    tracking_url = models.TextField(null=True)
    """The host that links lead through, as `https://host`; None: POSTROOM_PUBLIC_URL."""
    tracked_by_provider = models.BooleanField(default=False)
    """Opens and clicks are left to the provider to count."""
    private_kinds = ArrayField(models.TextField(), default=list)
    """Kinds of mail that are never tracked, whatever a message asks for."""
    anonymous_hits = models.BooleanField(default=False)
    """Network address and user agent of who opens and clicks are dropped once judged."""
    guard_resumed_at = models.DateTimeField(null=True)
    """When a person last let mail go on that the guard held; None: never."""
    paused_at = models.DateTimeField(null=True)
    """Since when nothing of it is handed over; None: it goes on."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "ledger"
        db_table = "application"


class Key(models.Model):
    """A credential of an application; only the SHA-256 of its secret is kept."""

    id = models.CharField(max_length=20, primary_key=True)
    application = models.ForeignKey(Application, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10)
    secret_digest = models.BinaryField()
    scopes = ArrayField(models.TextField())
    from_domains = ArrayField(models.TextField(), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "ledger"
        db_table = "key"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind__in=("live", "team", "test")), name="key_kind"
            ),
        )


class Network(models.Model):
    """A source network by which the relay listener knows an application."""

    id = models.AutoField(primary_key=True)
    application = models.ForeignKey(Application, on_delete=models.CASCADE)
    cidr = models.TextField(unique=True)
    kind = models.CharField(max_length=10, default="live")
    """`live`, or `test`: mail from here goes to the simulator."""

    class Meta:
        app_label = "ledger"
        db_table = "network"


class Account(models.Model):
    """A provider account: our credentials and limits with it."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=50, unique=True)
    provider = models.CharField(max_length=30)
    simulated = models.BooleanField()
    sealed_settings = models.BinaryField()
    """Settings and secrets, encrypted with a key derived from POSTROOM_SECRET_KEY."""
    webhook_secret_digest = models.BinaryField()
    """SHA-256 of the secret in the path of its webhook."""
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.TextField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "ledger"
        db_table = "account"
