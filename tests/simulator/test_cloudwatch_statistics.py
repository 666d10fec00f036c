"""Statistics by their documented definitions, with numbers that can be checked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloudwatch.statistics import StatisticSet, is_statistic, reported


def observed(*values: float) -> StatisticSet:
    found = StatisticSet()
    for value in values:
        found.add(value, 1)
    return found


HUNDRED = observed(*range(1, 101))


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("SampleCount", 100),
        ("Sum", 5050),
        ("Average", 50.5),
        ("Minimum", 1),
        ("Maximum", 100),
        ("p0", 1),
        ("p50", 50),
        ("p99", 99),
        ("p99.9", 100),
        ("p100", 100),
        ("tm90", 45.5),
        ("TM(:90%)", 45.5),
        ("TM(2%:98%)", 50.5),
        ("TM(10%:)", 55.5),
        ("TM(25%:75%)", 50.5),
        ("IQM", 50.5),
        ("TM(10:20)", 15.5),
        ("TC(10:20)", 10),
        ("TC(:10)", 10),
        ("tc90", 90),
        ("ts90", 4095),
        ("TS(80%:)", 1810),
        ("TS(80:)", 1810),
        ("wm98", (sum(range(1, 99)) + 2 * 98) / 100),
        ("WM(10%:90%)", (sum(range(11, 91)) + 10 * 10 + 10 * 90) / 100),
        ("WM(:50)", (sum(range(1, 51)) + 50 * 50) / 100),
        ("PR(:30)", 30),
        ("PR(10:20)", 10),
        ("PR(90:)", 10),
    ],
)
def test_each_statistic_is_what_its_definition_says(stat: str, value: float) -> None:
    assert HUNDRED.statistic(stat) == pytest.approx(value)


@pytest.mark.parametrize(
    "stat",
    [
        *(
            "p101",
            "p-1",
            "P99",
            "p",
            "p99.12345678901",
            "tm",
            "TM90",
            "tm(1%:2%)",
            "TM()",
            "TM(:)",
            "TM(5:1)",
        ),
        *("TM(10%:200%)", "TM(10:20%)", "PR(1%:2%)", "pr50", "iqm", "Median", "average", ""),
    ],
)
def test_what_is_no_statistic_is_known_as_none(stat: str) -> None:
    assert not is_statistic(stat)


@given(values=st.lists(st.floats(0, 1000), min_size=1, max_size=30), percent=st.integers(1, 99))
def test_trimming_adds_up(values: list[float], percent: int) -> None:
    """What is below a percentile and what is above it are all there is."""
    found = observed(*values)

    counts = [found.statistic(f"TC(:{percent}%)"), found.statistic(f"TC({percent}%:)")]
    sums = [found.statistic(f"TS(:{percent}%)"), found.statistic(f"TS({percent}%:)")]

    assert sum(one for one in counts if one is not None) == pytest.approx(len(values))
    assert sum(one for one in sums if one is not None) == pytest.approx(math.fsum(values), abs=1e-6)


def test_a_statistic_set_has_percentiles_only_where_its_values_are_alike() -> None:
    several = reported(4, 20, 1, 9)
    one = reported(1, 5, 5, 5)
    alike = reported(3, 15, 5, 5)

    assert (several.statistic("Average"), several.statistic("p50")) == (5, None)
    assert one.statistic("p99") == 5
    assert (alike.statistic("p50"), alike.statistic("tm90")) == (5, 5)
    several.merge(observed(5))
    assert several.statistic("p50") is None


def test_negative_values_leave_only_the_plain_statistics() -> None:
    found = observed(-1, 2, 3)

    assert found.statistic("Minimum") == -1
    assert found.statistic("p50") is None
    assert found.statistic("tm90") is None
