"""What is wrong with the fields of a request, in our words and under the caller's names.

The library that checks types finds it; its findings come as plain data, and its wording and its
paths (which name the branches of a union) are not for callers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from postroom.domain.problem import FieldError, Problem, invalid

ERRORS_SHOWN_MAX = 100
"""Field errors in one answer: enough to see the pattern, and a bounded answer."""

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this call",
    "string_type": "is not text",
    "datetime_type": "is not text",
    "list_type": "is not a list",
    "dict_type": "is not an object",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is not a whole number of this size",
    "int_from_float": "is not a whole number",
    "string_too_short": "is too short: at least {min_length} is needed",
    "string_too_long": "has more than {max_length} characters",
    "too_long": "has more than {max_length} entries",
    "literal_error": "is not {expected}",
    "value_error": "{error}",
}
"""Kind of finding to sentence; the fields in braces are what the library tells about it."""
_OTHER = "is not valid"
_UNION_BRANCHES = frozenset({"str", "MailboxBody", "constrained-str"})


def wrong_fields(findings: Iterable[Mapping[str, Any]]) -> Problem:
    """422 that names every wrong field once; of fields within one another the inner one."""
    said: dict[str, list[str]] = {}
    for finding in findings:
        words = said.setdefault(_path(finding["loc"]), [])
        detail = _detail(finding)
        if detail not in words:
            words.append(detail)
    errors = [
        FieldError(path or "body", " and ".join(words))
        for path, words in said.items()
        if not any(_is_within(other, path) for other in said)
    ][:ERRORS_SHOWN_MAX]
    return invalid(f"{errors[0].field}: {errors[0].detail}", *errors)


def _detail(finding: Mapping[str, Any]) -> str:
    return _WORDS.get(finding["type"], _OTHER).format_map(finding.get("ctx", {}))


def _is_within(path: str, outer: str) -> bool:
    return path != outer and path.startswith((f"{outer}.", f"{outer}["))


def _path(loc: Sequence[int | str]) -> str:
    """`attachments[0].content`; empty for the request itself."""
    path = ""
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in _UNION_BRANCHES and not step.startswith("list["):
            path += f".{step}" if path else step
    return path
