"""What the way to AWS makes of AWS's answers."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from tools.aws.access import AwsAccess, moment_of


@given(st.floats(0, 4e9) | st.integers(0, 4_000_000_000))
def test_a_moment_in_seconds_is_the_one_that_botocore_reads(told: float) -> None:
    assert moment_of(told) == parse_timestamp(told)
    assert moment_of(told).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "told", ["2026-11-29T02:00:00Z", "2026-11-29T03:00:00+01:00", "Sun, 29 Nov 2026 02:00:00 GMT"]
)
def test_a_moment_in_words_is_read_as_botocore_does(told: str) -> None:
    assert moment_of(told) == datetime(2026, 11, 29, 2, tzinfo=UTC)


def test_calls_say_whose_they_are() -> None:
    said = AwsAccess("eu-west-1", "http://127.0.0.1:9", "AKIA", "none").config().user_agent
    assert "Botocore/" in said
    assert "Python/" in said
