"""The database that tests run on."""

from django.db import connection


def test_a_test_finds_the_tables_and_no_rows(ledger: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM communication")
        assert cursor.fetchone() == (0,)
