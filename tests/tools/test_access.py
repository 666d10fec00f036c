"""What the way to AWS makes of AWS's answers."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from tools.aws.access import AwsAccess, moment_of
from tools.aws.models import Models


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


@pytest.mark.parametrize("service", ["dynamodb", "ecs", "bedrock-runtime"])
def test_a_model_is_read_as_botocore_reads_it(service: str) -> None:
    ours, botocores = Models(), Loader()
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        assert ours.load_service_model(service, kind) == botocores.load_service_model(service, kind)
    assert ours.load_data("endpoints") == botocores.load_data("endpoints")


def test_a_service_without_a_model_is_unknown_and_the_others_are_told() -> None:
    with pytest.raises(UnknownServiceError, match=r"nosuch.*dynamodb"):
        Models().load_service_model("nosuch", "service-2")
    # It has a model, and none of this kind.
    with pytest.raises(UnknownServiceError):
        Models().load_service_model("dynamodb", "nosuch-1")
    assert list(Models().list_available_services("service-2")) == Loader().list_available_services(
        "service-2"
    )
