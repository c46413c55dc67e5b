"""Settings: read once, checked, explained."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.management.environment import ConfigurationError, Environment
from postroom.management.secret_file import read_or_make
from postroom.management.settings_page import page

_DOCS = Path(__file__).parents[2] / "docs"
_SOURCE = Path(__file__).parents[2] / "src"


def test_the_page_of_settings_equals_the_code() -> None:
    from postroom import settings

    assert (_DOCS / "settings.md").read_text(encoding="utf-8") == page(settings.POSTROOM_TABLE)


def test_every_setting_has_a_unit_and_a_reason() -> None:
    from postroom import settings

    names = [setting.name for setting in settings.POSTROOM_TABLE]
    assert len(names) == len(set(names))
    assert all(setting.unit and setting.reason for setting in settings.POSTROOM_TABLE)


def test_every_setting_is_read_somewhere() -> None:
    from postroom import settings

    of_the_settings_themselves = {
        "DATABASE_URL",
        "POSTROOM_LOG_LEVEL",
        # Read as a whole, as settings.POSTROOM_ACCOUNT_SETTINGS.
        "POSTROOM_ACCOUNT_<NAME>_<SETTING>",
    }
    code = "".join(file.read_text(encoding="utf-8") for file in _SOURCE.rglob("*.py"))
    unread = {one.name for one in settings.POSTROOM_TABLE if f"settings.{one.name}" not in code}
    assert unread == of_the_settings_themselves


@pytest.mark.parametrize("written", ["abc", "-1", "0", "1.5", " 8025", "\u0663"])
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(written: str) -> None:
    environment = Environment({"POSTROOM_HTTP_PORT": written})
    with pytest.raises(ConfigurationError, match=r"^POSTROOM_HTTP_PORT=.* cannot be used: .*\.$"):
        environment.whole("POSTROOM_HTTP_PORT", 8025, "port", "")


@pytest.mark.parametrize("written", ["abc", "-1", "0", "nan", "inf"])
def test_a_duration_is_above_zero(written: str) -> None:
    environment = Environment({"WAIT_S": written})
    with pytest.raises(ConfigurationError, match="a number of seconds"):
        environment.seconds("WAIT_S", 1, "")


def test_an_empty_value_is_an_unset_one() -> None:
    environment = Environment({"PORT": "", "NAME": "", "SECRET": "", "SECRET_FILE": ""})
    assert environment.whole("PORT", 25, "port", "") == 25
    assert environment.whole_or_unset("PORT", "port", "") is None
    assert environment.text("NAME", "default", "text", "") == "default"
    assert environment.secret("SECRET", "text", "") is None


def test_a_secret_comes_from_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    environment = Environment({"SECRET_FILE": str(tmp_path / "secret")})
    assert environment.secret("SECRET", "text", "") == "s3cret"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environment = Environment({"SECRET": "x", "SECRET_FILE": str(tmp_path / "secret")})
    with pytest.raises(ConfigurationError, match="both set"):
        environment.secret("SECRET", "text", "")


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_missing_or_empty_secret_file_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    environment = Environment({"SECRET_FILE": str(tmp_path / "secret")})
    with pytest.raises(ConfigurationError, match="SECRET_FILE"):
        environment.secret("SECRET", "text", "")


def test_secrets_of_one_beginning_come_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("SG.x\n")
    variables = {
        "A_ONE_KEY_FILE": str(tmp_path / "key"),
        "A_ONE_USER": "u",
        "A_TWO": "",
        "B_X": "y",
    }
    found = Environment(variables).secrets("A_", "A_<NAME>", "text", "")
    assert found == {"ONE_KEY": "SG.x", "ONE_USER": "u"}


@pytest.mark.parametrize("also", [{}, {"A_ONE_KEY": "x"}])
def test_secrets_of_one_beginning_are_refused_as_a_single_one_is(also: dict[str, str]) -> None:
    environment = Environment({"A_ONE_KEY_FILE": "/nowhere"} | also)
    with pytest.raises(ConfigurationError, match="A_ONE_KEY_FILE"):
        environment.secrets("A_", "A_<NAME>", "text", "")


def test_a_file_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        Environment({"CERT": "/nowhere.pem"}).file("CERT", "PEM file", "")


def test_a_generated_secret_stays_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "secret-key"
    secret = read_or_make(file)
    assert len(secret) == 43
    assert read_or_make(file) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_half_a_certificate_is_refused_at_the_start(data: Path) -> None:
    certificate = data / "certificate.pem"
    certificate.touch()
    said = _start(POSTROOM_TLS_CERT=str(certificate), POSTROOM_DATA=str(data))
    assert said == "POSTROOM_TLS_CERT and POSTROOM_TLS_KEY are set together, or neither."


def test_a_lease_shorter_than_a_call_is_refused_at_the_start(data: Path) -> None:
    said = _start(POSTROOM_LEASE_S="30", POSTROOM_DATA=str(data))
    assert said == "POSTROOM_LEASE_S must be above POSTROOM_CALL_TIMEOUT_S."


def test_a_database_url_reaches_django_and_the_ledger_alike(data: Path) -> None:
    program = (
        "from postroom import settings; one = settings.DATABASES['default'];"
        "print(one['NAME'], one['USER'], one['HOST'], one['PORT'], one['OPTIONS'],"
        " settings.POSTROOM_DATABASE_DSN, settings.POSTROOM_EMBEDDED)"
    )
    url = "postgresql://writer:secret@db.internal:5433/mail?sslmode=require"
    said = _python(program, DATABASE_URL=url, POSTROOM_DATA=str(data))
    assert said == f"mail writer db.internal 5433 {{'sslmode': 'require'}} {url} False"


def _start(**variables: str) -> str:
    """What an import of the settings says in the end."""
    program = (
        "from postroom.management.environment import ConfigurationError\n"
        "try:\n from postroom import settings\n"
        "except ConfigurationError as error: print(error)"
    )
    return _python(program, **variables)


def _python(program: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
