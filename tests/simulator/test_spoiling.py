"""Spoiled answers are whole for HTTP, and say less than they should."""

import json

import pytest
from aiohttp import web

from postroom.simulator.mischief import Act
from postroom.simulator.spoiling import SPOILING


def test_half_a_body_is_half_of_its_text() -> None:
    answer = SPOILING[Act.HALF_BODY](web.json_response({"id": "12"}))
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.text == '{"id":'


@pytest.mark.parametrize(
    ("told", "fewer"),
    [
        ([{"id": 1}, {"id": 2}], [{"id": 1}]),
        ({"Messages": [1, 2], "n": 3}, {"Messages": [1], "n": 3}),
    ],
)
def test_the_last_result_is_left_out_of_a_list_and_of_a_list_in_an_object(
    told: object, fewer: object
) -> None:
    answer = SPOILING[Act.FEWER_RESULTS](web.json_response(told, status=201))
    assert (answer.status, json.loads(answer.text or "")) == (201, fewer)


def test_an_answer_without_results_stays_as_it_is() -> None:
    answer = web.Response(status=202, text="")
    assert SPOILING[Act.FEWER_RESULTS](answer) is answer
