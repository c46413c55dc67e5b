"""Lists of suppressions: taken over once, wrong rows named by their line, given out again."""

import tracemalloc
from collections.abc import Iterator

import pytest

from postroom.domain.suppression_list import COLUMNS, ListError, Wrong, read_list
from postroom.ledger import suppression_lists, suppressions
from postroom.ledger.suppression_lists import Imported
from tests.ledger.making import application, scalar
from tests.ledger.telling import states

pytestmark = pytest.mark.usefixtures("ledger")


def take_over(text: str) -> tuple[Imported, list[Wrong]]:
    refused: list[Wrong] = []
    lines = text.splitlines(keepends=True)
    return suppression_lists.take_over(True, read_list(lines), refused.append), refused


LIST = """\
address,reason,kind,application,note,since,ends_at
Ann@Example.com,address_unknown,,,left us,2026-01-02T03:04:05Z,
bo@example.com,unsubscribed,marketing,,,,
cy@example.com,asked,,shop,"two lines,
one note",,
ANN@example.com,address_unknown,,,twice,,
"""


def test_a_list_is_taken_over_once_and_the_second_time_changes_nothing() -> None:
    application("shop")
    assert take_over(LIST) == (Imported(added=3, known=1, lifted=0, refused=0), [])
    before = suppressions.listed(simulated=True, before_id=None, limit=10)
    assert take_over(LIST) == (Imported(added=0, known=4, lifted=0, refused=0), [])
    assert suppressions.listed(simulated=True, before_id=None, limit=10) == before
    [ann] = suppressions.standing(True, ["ann@example.com"]).values()
    assert (ann.source, ann.note, f"{ann.created_at:%Y-%m-%d}") == (
        "import",
        "left us",
        "2026-01-02",
    )


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("nobody,asked", "has no @"),
        (",asked", "has no address"),
        ("a@b.example,mailbox_full", "says too little by itself"),
        ("a@b.example,reputation_block", "stops nobody"),
        ("a@b.example,nonsense", "stops nobody"),
        ("a@b.example", "has 1 values and not 2"),
        ('"a@b.example,asked', "is no CSV"),
    ],
)
def test_a_wrong_row_is_named_by_its_line_and_the_others_are_taken(row: str, why: str) -> None:
    done, refused = take_over(f"address,reason\nann@example.com,asked\n{row}\n")
    assert done == Imported(added=1, known=0, lifted=0, refused=1)
    assert refused[0].line == 3
    assert why in refused[0].detail


@pytest.mark.parametrize("header", ["", "email,reason", "address,colour", "address,address"])
def test_a_file_without_a_header_that_is_known_is_no_list(header: str) -> None:
    with pytest.raises(ListError):
        take_over(f"{header}\nann@example.com,asked\n")


def test_an_application_that_does_not_exist_is_a_wrong_row() -> None:
    _, refused = take_over("address,application\nann@example.com,nobody\n")
    assert refused == [Wrong(2, "there is no such application")]


def test_what_was_lifted_since_is_not_added_again() -> None:
    take_over("address\nann@example.com\n")
    suppressions.lift_all(True, "ann@example.com", "wants mail")
    done, _ = take_over("address\nann@example.com\n")
    assert done == Imported(added=0, known=0, lifted=1, refused=0)
    assert states("ann@example.com") == [("asked", False, "person")]


def test_what_is_given_out_is_known_when_it_comes_back() -> None:
    application("shop")
    take_over(LIST)
    suppressions.add(suppressions.NewSuppression(True, "di@example.com", "mailbox_full", "event"))
    rows = [",".join(f'"{text}"' for text in row) for row in suppression_lists.standing(True)]
    done, refused = take_over("\n".join([",".join(COLUMNS), *rows]))
    assert (done, refused) == (Imported(added=0, known=4, lifted=0, refused=0), [])
    assert list(suppression_lists.standing(False)) == []


def test_a_long_list_is_never_held_as_a_whole() -> None:
    def lines() -> Iterator[str]:
        yield "address,note\n"
        for n in range(40_000):
            yield f"p{n}@example.com,{'x' * 200}\n"

    tracemalloc.start()
    done = suppression_lists.take_over(True, read_list(lines()), print)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.added == scalar("SELECT count(*) FROM suppression") == 40_000
    assert peak < 24 * 1024**2
