"""The next release of Postroom, in a directory of its own: this one, with further migrations."""

import shutil
import subprocess
import sys
from pathlib import Path

import postroom
from tests.installation import Installation

_MIGRATION = '''
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("ledger", "{before}")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'"),
        migrations.RunSQL("""
            CREATE TABLE {name} (id bigint PRIMARY KEY);
            ALTER TABLE message ADD COLUMN {name} text;
            ALTER TABLE delivery ADD COLUMN {name} integer NOT NULL DEFAULT 0;
            CREATE INDEX {name}_delivery ON delivery ({name}, id) WHERE stage = 'queued'
        """),
    ]
'''


class NextRelease:
    """A copy of the package; what runs meanwhile is the release before it."""

    def __init__(self, where: Path) -> None:
        self._where = where
        (source,) = postroom.__path__
        shutil.copytree(source, where / "postroom", ignore=shutil.ignore_patterns("__pycache__"))

    def add_migration(self, name: str) -> None:
        """One more, in the shape of our own: `name` is that of a table, columns and an index."""
        folder = self._where / "postroom" / "ledger" / "migrations"
        before = max(one.stem for one in folder.glob("[0-9]*.py"))
        new = folder / f"{int(before[:4]) + 1:04}_{name}.py"
        new.write_text(_MIGRATION.format(before=before, name=name))

    def migrate(self, installation: Installation) -> subprocess.CompletedProcess[str]:
        """Runs its `postroom migrate` for an installation of the release before."""
        return subprocess.run(
            [sys.executable, "-m", "postroom.cli", "migrate"],
            env={**installation.environment, "PYTHONPATH": str(self._where)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
