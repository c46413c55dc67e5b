"""The pages say what the code does: states, routes, commands, files, links, dependencies."""

import re
import shlex
import tomllib
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.cli import COMMANDS
from postroom.domain.delivery import ANSWERS
from postroom.ledger.keys import KINDS, SCOPES
from postroom.management.roles import ROLES
from postroom.reports.metrics import HELP
from postroom.submission.own_headers import READERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
    ]
)
COMMAND = re.compile(r"(?:\.venv/bin/postroom|`postroom) ([a-z]+)([^\n`]*)")
TO_COPY = re.compile(r"\.venv/bin/postroom ([a-z]+)([^\n`]*)")
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def page(name: str) -> str:
    """The text of a page below `docs`."""
    return (DOCS / name).read_text(encoding="utf-8")


def first_cells(text: str) -> list[str]:
    """What stands in backquotes at the start of each row of the page's tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_page_of_states_has_every_state_with_its_answer_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page("states.md"), re.MULTILINE)
    assert rows == [(str(state), str(answer)) for state, answer in ANSWERS.items()]


def test_the_page_of_calls_names_every_route_of_the_openapi_document_and_no_other() -> None:
    from postroom.urls import api

    document = api.get_openapi_schema(path_prefix="/v1/")
    routes = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /v1/[^`]+)`", page("api.md")))
    assert named == routes


def test_the_page_of_calls_names_every_header_that_a_mail_may_ask_by() -> None:
    named = {name.lower() for name in re.findall(r"`(X-Postroom-[A-Za-z-]+)`", page("api.md"))}
    assert named == set(READERS)


def test_every_address_beside_the_api_is_a_route() -> None:
    from django.urls import resolve

    named = re.findall(r"`(?:GET|POST) (/(?!v1/)[^`]+)`", page("api.md"))
    assert named
    for path in named:
        resolve(re.sub(r"\{\w+\}", "x", path))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_page_shows_can_be_parsed(path: Path) -> None:
    for name, rest in COMMAND.findall(path.read_text(encoding="utf-8").replace("\\\n", " ")):
        assert name in COMMANDS, f"{path.name} names `postroom {name}`"
        parser = ArgumentParser()
        COMMANDS[name].module().arrange(parser)
        known = "".join(one.format_help() for one in _with_subparsers(parser))
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest):
            assert option in known, f"{path.name}: `postroom {name}` has no {option}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_there_to_be_copied_is_whole(path: Path) -> None:
    for name, rest in TO_COPY.findall(path.read_text(encoding="utf-8").replace("\\\n", " ")):
        parser = ArgumentParser(exit_on_error=False)
        COMMANDS[name].module().arrange(parser)
        parser.parse_args(shlex.split(rest, comments=True))


def _with_subparsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for inner in action.choices.values():
                yield from _with_subparsers(inner)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(path: Path) -> None:
    for goal in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / goal).exists(), f"{path.name} links to {goal}"


def test_every_file_that_the_table_of_standards_names_is_there() -> None:
    table = page("rfcs.md").partition("## Mail")[2]
    named = re.findall(r"`([a-z_/]+(?:\.py|/))`", table)
    assert len(named) > 30
    for name in named:
        assert (ROOT / "src" / "postroom" / name).exists(), name


def test_every_setting_that_a_page_names_exists() -> None:
    known = [_as_pattern(cell) for cell in first_cells(page("settings.md"))]
    for path in PAGES:
        named = set(re.findall(r"\bPOSTROOM_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
        for name in named:
            assert any(one.fullmatch(name) for one in known), f"{path.name} names {name}"


def _as_pattern(cell: str) -> re.Pattern[str]:
    """What fits a row of the settings, whose name may have a `<PART>` that stands for many."""
    return re.compile(re.sub(r"<[A-Z]+>", "[A-Z0-9_]+", cell) + "(_FILE)?")


def test_the_operator_reads_of_every_role_kind_scope_and_metric() -> None:
    text = page("operating.md")
    for word in (*ROLES, *KINDS, *SCOPES):
        assert f"`{word}`" in text or f"| {word} |" in text or f"run {word}`" in text, word
    for metric in HELP:
        assert f"`{metric}" in text, metric


def test_every_role_has_its_paragraph_in_the_overview() -> None:
    assert set(re.findall(r"^\*\*(\w+)\*\* ", page("overview.md"), re.MULTILINE)) == set(ROLES)


def test_every_decision_is_on_the_list() -> None:
    listed = set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", page("decisions/README.md")))
    assert listed == {path.name for path in (DOCS / "decisions").glob("[0-9]*.md")}


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = page("decisions/0010-dependencies.md")
    needed = [re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]]
    assert first_cells(text) == needed
    for line in project["optional-dependencies"]["dev"]:
        assert f"`{re.split('[>=]', line)[0]}`" in text
