"""Settings of accounts that come from the environment and stay out of the database."""

import pytest
from django.test import override_settings

from postroom import cli
from postroom.ledger import accounts, outside_settings
from postroom.ledger.accounts import AccountRow
from postroom.management import doctor

pytestmark = pytest.mark.usefixtures("ledger")

OUTSIDE = {
    "MAIN_API_KEY": "SG.outside",
    "MAIN_EU_API_KEY": "SG.eu",
    "MAINE_API_KEY": "SG.maine",
}


def row(name: str) -> AccountRow:
    found = accounts.by_name(name)
    assert found is not None
    return found


@override_settings(POSTROOM_ACCOUNT_SETTINGS=OUTSIDE)
def test_what_the_environment_sets_goes_before_what_is_sealed() -> None:
    accounts.add("main", "sendgrid", False, {"api_key": "SG.sealed", "smtp_host": "h"})
    accounts.add("main-eu", "sendgrid", False, {})
    assert row("main").settings == {"api_key": "SG.outside", "smtp_host": "h"}
    assert row("main").from_environment == {"api_key"}
    assert row("main-eu").settings == {"api_key": "SG.eu"}
    assert [one.settings["api_key"] for one in accounts.all_accounts()] == ["SG.outside", "SG.eu"]


@override_settings(POSTROOM_ACCOUNT_SETTINGS={"A_B_2_SMTP_USER": "u"})
def test_names_are_written_in_upper_case_and_with_underscores() -> None:
    accounts.add("a.b 2", "smtp", False, {})
    assert row("a.b 2").settings == {"smtp_user": "u"}


def test_what_the_environment_sets_is_never_sealed(capsys: pytest.CaptureFixture[str]) -> None:
    accounts.add("main", "sendgrid", False, {"api_key": "SG.sealed", "smtp_host": "h"})
    with override_settings(POSTROOM_ACCOUNT_SETTINGS=OUTSIDE):
        assert cli.main(["account", "set", "main", "api_key=SG.new", "smtp_host=", "user=u"]) == 0
    assert "Still set by the environment, which goes before: api_key." in capsys.readouterr().out
    assert row("main").settings == {"api_key": "SG.new", "user": "u"}


@override_settings(POSTROOM_ACCOUNT_SETTINGS=OUTSIDE)
def test_the_list_names_the_settings_and_shows_none(capsys: pytest.CaptureFixture[str]) -> None:
    accounts.add("main", "sendgrid", False, {"smtp_host": "host.example"})
    for more in ([], ["--json"]):
        assert cli.main(["account", "list", *more]) == 0
        printed = capsys.readouterr().out
        assert "api_key" in printed
        assert "SG." not in printed
        assert "host.example" not in printed
    assert "SG." not in repr(row("main"))


@override_settings(POSTROOM_ACCOUNT_SETTINGS=OUTSIDE)
def test_a_variable_that_fits_no_account_is_told_of() -> None:
    accounts.add("main", "sendgrid", False, {})
    assert outside_settings.strays(["main"]) == ["MAINE_API_KEY"]
    told = [one.said for one in doctor.examine() if one.about == "accounts"]
    assert "POSTROOM_ACCOUNT_MAINE_API_KEY is set and fits no account." in told


def test_an_account_that_is_not_there_is_not_adjusted() -> None:
    assert accounts.adjust("nobody", {"api_key": "x"}) is None
