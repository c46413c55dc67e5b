"""The login of webhooks whose provider does not sign."""

from base64 import b64encode

import pytest

from postroom.providers.base import Account, NotAuthentic
from postroom.providers.login import verify_login

LOGIN = {"webhook_user": "teller", "webhook_password": "nøw", "webhook_password_previous": "then"}
TOKEN = {"webhook_token": "t0ken", "webhook_token_previous": "0ld"}


def verify(settings: dict[str, str], authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    verify_login(Account(1, "main", "brevo", False, settings), headers)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("settings", "authorization"),
    [
        (LOGIN, basic("teller", "nøw")),
        (LOGIN, basic("teller", "then")),
        (LOGIN, basic("teller", "nøw").replace("Basic", "basic")),
        (TOKEN, "Bearer t0ken"),
        (TOKEN, "bearer 0ld"),
        (LOGIN | TOKEN, "Bearer t0ken"),
        ({}, None),
        ({}, "Basic whatever"),
    ],
)
def test_the_login_now_and_the_one_before_are_believed(
    settings: dict[str, str], authorization: str | None
) -> None:
    verify(settings, authorization)


@pytest.mark.parametrize(
    ("settings", "authorization"),
    [
        (LOGIN, None),
        (LOGIN, ""),
        (LOGIN, "Basic"),
        (LOGIN, basic("teller", "wrong")),
        (LOGIN, basic("other", "nøw")),
        (LOGIN, basic("teller", "")),
        (LOGIN, "Bearer nøw"),
        (LOGIN, "Basic \udcff\udc00"),
        (TOKEN, "Basic t0ken"),
        (TOKEN, "Bearer t0ken2"),
    ],
)
def test_any_other_login_is_refused(settings: dict[str, str], authorization: str | None) -> None:
    with pytest.raises(NotAuthentic):
        verify(settings, authorization)
