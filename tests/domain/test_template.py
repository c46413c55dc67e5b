"""Templates: fields and nothing else; a value is never looked at again."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.template import Field, MissingField, TemplateError, parse

keys = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)
texts = st.text("ab{} \\\n&<", max_size=20)


def escaped(literal: str) -> str:
    """The literal as a template writes it, where that is possible."""
    return literal.replace("{{", "\\{{")


literals = texts.filter(lambda text: not re.search(r"\{\{\{|\\\{|[\\{]$", text))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("no field", "no field"),
        ("Dear {{ name }}!", "Dear A!"),
        ("{{name}}{{ name }}{{\tname\n}}", "AAA"),
        ("{{ a.b-c_9 }}", "B"),
        (r"\{{ name }}", "{{ name }}"),
        (r"\{{{{ name }}", "{{A"),
        ("{ name } }} {", "{ name } }} {"),
        (r"\ { \n", r"\ { \n"),
        ("{% if name %}", "{% if name %}"),
    ],
)
def test_fields_are_filled_and_all_else_stays(text: str, rendered: str) -> None:
    assert parse(text).render({"name": "A", "a.b-c_9": "B", "unused": "x"}) == rendered


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{{", 1, 1),
        ("ab {{ }}", 1, 4),
        ("{{ name }", 1, 1),
        ("a\nb\n  {{ x y }}", 3, 3),
        ("{{{ name }}}", 1, 1),
        ("{{ name|upper }}", 1, 1),
        ("{{ name.__class__() }}", 1, 1),
        ("{{#each}}", 1, 1),
        ("{{ ö }}", 1, 1),
        ("{{ " + "k" * 65 + " }}", 1, 1),
        ("{{ a }} \\{{ {{ b c }}", 1, 13),
    ],
)
def test_a_syntax_error_says_where_and_what_to_do(text: str, line: int, column: int) -> None:
    with pytest.raises(TemplateError, match=r"a field is written \{\{ key \}\}") as error:
        parse(text)
    assert (error.value.line, error.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(error.value)


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingField, match=r"the field \{\{ b \}\}") as missing:
        parse("{{ a }} {{ b }} {{ c }}").render({"a": "1"})
    assert missing.value.key == "b"


def test_values_are_escaped_and_literals_are_not() -> None:
    template = parse("<p title='{{ a }}'>{{ a }} & {{ b }}</p>")
    assert template.render({"a": "<&'\">", "b": "b"}, html.escape) == (
        "<p title='&lt;&amp;&#x27;&quot;&gt;'>&lt;&amp;&#x27;&quot;&gt; & b</p>"
    )


def test_keys_and_segments_tell_what_is_in_it() -> None:
    template = parse(r"{{ a }}x \{{ {{b}}{{ a }}")
    assert template.keys == {"a", "b"}
    assert template.segments == (Field("a"), "x {{ ", Field("b"), Field("a"))
    assert parse("").segments == ()


def test_tags_take_the_place_of_fields() -> None:
    assert parse("Dear {{ name }}: {{ x }}").with_tags(lambda key: f"-{key}-") == "Dear -name-: -x-"


def test_one_template_renders_many_times() -> None:
    template = parse("{{ a }}-{{ b }}")
    assert [template.render({"a": str(n), "b": "x"}) for n in range(3)] == ["0-x", "1-x", "2-x"]


@given(st.lists(literals, min_size=1, max_size=5), st.text(), keys)
def test_a_value_is_never_substituted_again(pieces: list[str], value: str, key: str) -> None:
    template = parse(f"{{{{ {key} }}}}".join(map(escaped, pieces)))
    for tricky in (value, f"{{{{ {key} }}}}", r"\{{", "{{"):
        assert template.render({key: tricky}) == tricky.join(pieces)


@given(st.lists(literals, min_size=1, max_size=5), st.text(), keys)
def test_an_escaped_value_brings_in_no_markup(pieces: list[str], value: str, key: str) -> None:
    template = parse(f"{{{{ {key} }}}}".join(map(escaped, pieces)))
    assert template.render({key: value}, html.escape) == html.escape(value).join(pieces)


@given(texts)
def test_any_text_is_a_template_or_an_error_with_a_place_in_it(text: str) -> None:
    try:
        template = parse(text)
    except TemplateError as error:
        at = error.line, error.column
        assert place_of_an_opening(text, *at), at
    else:
        assert template.with_tags(lambda _: "x").count("x") == len(template.fields)


def place_of_an_opening(text: str, line: int, column: int) -> bool:
    """Whether `{{` stands there."""
    return text.split("\n")[line - 1].startswith("{{", column - 1)
