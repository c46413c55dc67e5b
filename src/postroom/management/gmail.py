"""How Gmail sees our mail: by its own figures, or not measurable."""

from collections.abc import Iterator

from postroom.domain.feedback_id import named_in
from postroom.domain.guard import Level, level_of_share
from postroom.domain.guard_lines import of_operator
from postroom.domain.postmaster import Figure
from postroom.ledger import postmaster

_LINE = of_operator("gmail")[0]
_DO = {
    Level.CALM: "",
    Level.WARN: " Half of the line is reached.",
    Level.SLOW: " Send less.",
    Level.PAUSE: " Pause its bulk and marketing mail (`postroom pause`), and find out why.",
}


def sentences() -> Iterator[tuple[Level, str]]:
    """What Gmail's figures say, and what cannot be measured for want of them."""
    for figure in postmaster.latest():
        yield level_of_share(_LINE, figure.rate), sentence(figure)
    for one in postmaster.unmeasured():
        newest = "none was ever taken in" if one.newest is None else f"the last is of {one.newest}"
        said = (
            f"{one.domain}: complaints at Gmail are not measurable ({one.delivered:,} mails were"
            f" delivered there in a week): of the figures of Postmaster Tools {newest};"
            " `postroom guard import-postmaster`."
        )
        yield Level.WARN, said


def sentence(figure: Figure) -> str:
    """One figure, whose it is, and what to do."""
    level = level_of_share(_LINE, figure.rate)
    return (
        f"{_whose(figure)}: {figure.rate:.2%} of the mails in Gmail's inboxes were marked as spam"
        f" on {figure.day}; its line is {_LINE.share:.2%}.{_DO[level]}"
    )


def _whose(figure: Figure) -> str:
    named = named_in(figure.identifier)
    if named is None:
        return f"{figure.domain} {figure.identifier}".rstrip()
    application, communication = named
    whose = f"{communication} of {application}" if communication else application
    return f"{whose} from {figure.domain}"
