"""Whatever arithmetic is put together, the numbers are those of an evaluation by numpy, or it is refused."""

import math
import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.wire.protocol import AwsError
from tests.simulator.cloudwatch_desk import Desk, expression, hidden, stat

MINUTES = 6
Numbers = npt.NDArray[np.float64]
# A tree as text and as what numpy makes of it: an array of MINUTES numbers, NaN where there is none.
Tree = tuple[str, Callable[[dict[str, Numbers]], Numbers]]

values = st.one_of(st.none(), st.integers(-9, 9).map(float), st.floats(-50, 50, allow_nan=False, width=16))
series = st.lists(values, min_size=MINUTES, max_size=MINUTES)
metrics = st.fixed_dictionaries({"a": series, "b": series})


def as_numbers(points: list[float | None]) -> Numbers:
    return np.array([math.nan if one is None else one for one in points])


def joined(sign: str, left: Numbers, right: Numbers) -> Numbers:
    """Between two series: missing counts as 0 where the other has a value."""
    both_missing = np.isnan(left) & np.isnan(right)
    x, y = np.where(np.isnan(left), 0.0, left), np.where(np.isnan(right), 0.0, right)
    with np.errstate(all="ignore"):
        found: dict[str, Numbers] = {
            "+": x + y,
            "-": x - y,
            "*": x * y,
            "/": np.where(y == 0, np.nan, x / np.where(y == 0, 1, y)),
            "<": np.where(x < y, 1.0, 0.0),
            ">=": np.where(x >= y, 1.0, 0.0),
            "==": np.where(x == y, 1.0, 0.0),
            "AND": np.where((x != 0) & (y != 0), 1.0, 0.0),
            "OR": np.where((x != 0) | (y != 0), 1.0, 0.0),
        }
    return only_finite(np.where(both_missing, np.nan, found[sign]))


def only_finite(found: Numbers) -> Numbers:
    return np.where(np.isfinite(found), found, np.nan)


def scaled(sign: str, left: Numbers, number: float) -> Numbers:
    with np.errstate(all="ignore"):
        divided = left / number if number else left * np.nan
        found = {"+": left + number, "-": left - number, "*": left * number, "/": divided}[sign]
    return only_finite(found)


def filled(numbers: Numbers, number: float) -> Numbers:
    return np.where(np.isnan(numbers), number, numbers)


def differences(numbers: Numbers) -> Numbers:
    found = np.full(len(numbers), np.nan)
    known = np.flatnonzero(~np.isnan(numbers))
    found[known[1:]] = np.diff(numbers[known])
    return found


leaves: st.SearchStrategy[Tree] = st.sampled_from(
    [("a", lambda of: of["a"]), ("b", lambda of: of["b"]), ("FILL(a, 0)", lambda of: filled(of["a"], 0.0))]
)


def grown(smaller: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    signs = st.sampled_from(["+", "-", "*", "/", "<", ">=", "==", "AND", "OR"])
    numbers = st.integers(-4, 4)
    two = st.tuples(signs, smaller, smaller).map(
        lambda of: (
            f"({of[1][0]} {of[0]} {of[2][0]})",
            lambda given: joined(of[0], of[1][1](given), of[2][1](given)),
        )
    )
    one = st.tuples(st.sampled_from(["+", "-", "*", "/"]), smaller, numbers).map(
        lambda of: (f"({of[1][0]} {of[0]} {of[2]})", lambda given: scaled(of[0], of[1][1](given), of[2]))
    )
    functions: st.SearchStrategy[tuple[str, Callable[[Numbers], Numbers]]] = st.sampled_from(
        [
            ("ABS({})", np.abs),
            ("CEIL({})", np.ceil),
            ("FLOOR({})", np.floor),
            ("-{}", np.negative),
            ("FILL({}, 3)", lambda numbers: filled(numbers, 3.0)),
            ("DIFF({})", differences),
            ("IF({} > 0, 2, 5)", lambda x: np.where(np.isnan(x), np.nan, np.where(x > 0, 2.0, 5.0))),
        ]
    )
    applied = st.tuples(functions, smaller).map(
        lambda of: (of[0][0].format(of[1][0]), lambda given: of[0][1](of[1][1](given)))
    )
    return st.one_of(two, one, applied)


trees = st.recursive(leaves, grown, max_leaves=6)


def evaluated(text: str, given_metrics: dict[str, list[float | None]]) -> Numbers:
    desk = Desk()
    for name, points in given_metrics.items():
        desk.put(name, {at: value for at, value in enumerate(points) if value is not None})
    queries = [hidden(stat(name, name)) for name in given_metrics]
    found = desk.values(*queries, expression("e", text), minutes=MINUTES)
    return np.array([found.get(minute, math.nan) for minute in range(MINUTES)])


@settings(max_examples=300, deadline=None)
@given(tree=trees, given_metrics=metrics)
def test_any_expression_has_the_numbers_that_numpy_has(
    tree: Tree, given_metrics: dict[str, list[float | None]]
) -> None:
    text, independently = tree

    expected = independently({name: as_numbers(points) for name, points in given_metrics.items()})

    np.testing.assert_allclose(evaluated(text, given_metrics), expected, rtol=1e-9, atol=1e-12)


WRONG = ("%", "!", "NOT ", "**", ",", ")", "]", "'", "unknown", "SUMM(", "avg(", "@", "=")


@settings(max_examples=300, deadline=None)
@given(tree=trees, given_metrics=metrics, wrong=st.sampled_from(WRONG), where=st.floats(0, 1))
def test_a_spoiled_expression_is_refused(
    tree: Tree, given_metrics: dict[str, list[float | None]], wrong: str, where: float
) -> None:
    text = tree[0]
    at = round(where * len(text))
    spoiled = f"{text[:at]}{wrong}{text[at:]}"

    try:
        found = evaluated(spoiled, given_metrics)
    except AwsError as error:
        assert error.code == "ValidationError"
        return
    # The only way to stay an expression is to have become another one, such as a >= b from a > b.
    assert re.sub("[=!<>]=", "", spoiled).count(wrong) == 0, (spoiled, found)


@settings(max_examples=200, deadline=None)
@given(points=series)
def test_aggregates_of_a_series_have_the_numbers_that_numpy_has(points: list[float | None]) -> None:
    numbers = as_numbers(points)
    known = numbers[~np.isnan(numbers)]
    expected = {
        "SUM": known.sum(),
        "DATAPOINT_COUNT": len(known),
        **(
            {"AVG": known.mean(), "MIN": known.min(), "MAX": known.max(), "STDDEV": known.std()}
            if len(known)
            else {"AVG": math.nan, "MIN": math.nan, "MAX": math.nan, "STDDEV": math.nan}
        ),
    }

    for function, value in expected.items():
        found = evaluated(f"TIME_SERIES({function}(a))", {"a": points})
        np.testing.assert_allclose(found, np.full(MINUTES, value), rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(given_metrics=metrics)
def test_aggregates_of_an_array_have_the_numbers_that_numpy_has(
    given_metrics: dict[str, list[float | None]],
) -> None:
    columns = np.array([as_numbers(points) for points in given_metrics.values()])
    exists = ~np.isnan(columns).all(axis=0)
    filled_columns = np.nan_to_num(columns, nan=0.0)

    def where_any(found: Numbers) -> Numbers:
        return np.where(exists, found, np.nan)

    masked = np.ma.masked_invalid(columns)
    expected = {
        "SUM": where_any(filled_columns.sum(axis=0)),
        "AVG": where_any(filled_columns.mean(axis=0)),
        "MIN": where_any(masked.min(axis=0).filled(0.0)),
        "MAX": where_any(masked.max(axis=0).filled(0.0)),
        "STDDEV": where_any(masked.std(axis=0).filled(0.0)),
    }

    for function, numbers in expected.items():
        found = evaluated(f"{function}(METRICS())", given_metrics)
        np.testing.assert_allclose(found, numbers, rtol=1e-9, atol=1e-7)
