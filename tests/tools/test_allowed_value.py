"""A parameter is set to a value that its owner lists, and to no other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.actions.base import State
from tools.actions.ssm_allowed_value import SsmAllowedValue, SsmSetAllowedValue, listed_values

ACTION = SsmSetAllowedValue()
ROUTE = SsmAllowedValue(name="/shop/providers", value="second")


def state(**more: object) -> State:
    pattern = str(more.get("pattern", "^(first|second|third)$"))
    found = {
        "found": True,
        "name": ROUTE.name,
        "type": "String",
        "pattern": pattern,
        "attributes": {"Description": "", "AllowedPattern": pattern},
        "allowed": listed_values(pattern),
        "version": 4,
        "value": "first",
        "value_sha256": "0" * 64,
    }
    return {**found, **more}


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("^(a|b|a,b)$", ["a", "b", "a,b"]),
        ("^(?:on|off)$", ["on", "off"]),
        (r"^(1\.5|2)$", ["1.5", "2"]),
    ],
)
def test_a_pattern_that_lists_values_is_read(pattern: str, values: list[str]) -> None:
    assert listed_values(pattern) == values


@pytest.mark.parametrize(
    "pattern",
    ["", r"^\d+$", "a|b", "^a|b$", "(a|b)", "^()$", "^(a|)$", "^(a.|b)$", "^(on+|off)$", "^((a)|b)$"],
)
def test_a_pattern_that_describes_values_lists_none(pattern: str) -> None:
    assert listed_values(pattern) == []
    assert ACTION.problems(ROUTE, state(pattern=pattern)) == (
        "its AllowedPattern lists no values: people choose one",
    )


@given(st.text(alphabet="ab,|()?:^$.+*\\[]-", max_size=20))
def test_every_listed_value_is_one_that_the_pattern_allows(pattern: str) -> None:
    for value in listed_values(pattern):
        assert re.search(pattern, value)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"pattern": "^(first|third)$"}, "none of its values: first, third"),
        ({"value": ""}, "its present value is none of those that are listed"),
        ({"value": "second"}, "it is second already"),
        ({"type": "SecureString", "value": ""}, "people set those"),
    ],
)
@pytest.mark.parametrize("undoing", [False, True])
def test_anything_else_is_refused_undo_or_not(found: dict[str, object], said: str, undoing: bool) -> None:
    (problem,) = ACTION.problems(ROUTE, state(**found), undoing=undoing)

    assert said in problem


def test_the_way_back_is_the_value_of_before_and_there_is_none_where_that_is_not_listed() -> None:
    assert ACTION.problems(ROUTE, state()) == ()
    assert ACTION.inverse(ROUTE, state()) == {"name": ROUTE.name, "value": "first"}
    assert ACTION.inverse(ROUTE, state(value="")) is None


def test_a_pattern_that_was_changed_is_another_state() -> None:
    before, now = ACTION.bound(state()), ACTION.bound(state(pattern="^(first|second)$"))

    assert before != now
