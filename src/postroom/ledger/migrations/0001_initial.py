"""The configuration tables, and the ledger proper in SQL."""

from pathlib import Path

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

_LEDGER = Path(__file__).with_name("0001_ledger.sql")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        # Rather fail and be run again than queue up behind a lock, and everybody behind us.
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=50, unique=True)),
                ("provider", models.CharField(max_length=30)),
                ("simulated", models.BooleanField()),
                ("sealed_settings", models.BinaryField()),
                ("webhook_secret_digest", models.BinaryField()),
                ("stopped_at", models.DateTimeField(null=True)),
                ("stopped_why", models.TextField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "account"},
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("from_domains", ArrayField(models.TextField(), default=list)),
                ("allow_list", ArrayField(models.TextField(), default=list)),
                ("join_repeats", models.BooleanField(default=False)),
                ("refuse_suppressed", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "application"},
        ),
        migrations.CreateModel(
            name="Network",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("cidr", models.TextField(unique=True)),
                ("kind", models.CharField(default="live", max_length=10)),
                ("application", models.ForeignKey("ledger.Application", models.CASCADE)),
            ],
            options={"db_table": "network"},
        ),
        migrations.CreateModel(
            name="Key",
            fields=[
                ("id", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("application", models.ForeignKey("ledger.Application", models.PROTECT)),
                ("kind", models.CharField(max_length=10)),
                ("secret_digest", models.BinaryField()),
                ("scopes", ArrayField(models.TextField())),
                ("from_domains", ArrayField(models.TextField(), default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "key",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(kind__in=("live", "team", "test")), name="key_kind"
                    )
                ],
            },
        ),
        migrations.RunSQL(_LEDGER.read_text(encoding="utf-8")),
    ]
