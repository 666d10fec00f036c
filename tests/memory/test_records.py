from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from memory.records.base import canonical_json, digest
from memory.records.incident import Status, incident_id
from memory.records.plan import Plan, PlannedAction
from memory.records.scope import Scope
from memory.records.spend import Spend
from memory.records.timeline import Timer, TimerKind

SCOPE = Scope(account="123456789012", region="us-east-1")
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_same_episode_has_the_same_id() -> None:
    assert incident_id(SCOPE, ARN, START) == incident_id(SCOPE, ARN, START)


@pytest.mark.parametrize(
    "other",
    [
        (SCOPE.model_copy(update={"region": "eu-west-1"}), ARN, START),
        (SCOPE.model_copy(update={"account": "210987654321"}), ARN, START),
        (SCOPE.model_copy(update={"tenant": "other"}), ARN, START),
        (SCOPE.model_copy(update={"partition": "aws-cn"}), ARN, START),
        (SCOPE, ARN + "b", START),
        (SCOPE, ARN, START + timedelta(microseconds=1)),
    ],
)
def test_another_episode_has_another_id(other: tuple[Scope, str, datetime]) -> None:
    assert incident_id(*other) != incident_id(SCOPE, ARN, START)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="zone"):
        Timer(incident_id="i", kind=TimerKind.CADENCE, wake_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_time_in_another_zone_is_the_same_moment_in_utc() -> None:
    there = START.astimezone(timezone(timedelta(hours=5)))
    timer = Timer(incident_id="i", kind=TimerKind.CADENCE, wake_at=there)
    assert timer.wake_at == START
    assert timer.model_dump(mode="json")["wake_at"].endswith("Z")


def test_a_record_refuses_a_field_it_does_not_know() -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({"actions": [], "force": True})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    assert digest(value) == digest(turned)
    assert canonical_json(value) == canonical_json(turned)


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers(), min_size=1))
def test_a_changed_parameter_changes_the_plan_hash(parameters: dict[str, object]) -> None:
    plan = Plan(actions=(PlannedAction(action="a", parameters=parameters),))
    name = next(iter(parameters))
    changed = Plan(actions=(PlannedAction(action="a", parameters={**parameters, name: [parameters[name]]}),))
    assert plan.plan_hash != changed.plan_hash


def test_a_new_attempt_is_a_new_plan() -> None:
    actions = (PlannedAction(action="a", parameters={}),)
    assert Plan(actions=actions, attempt=1).plan_hash != Plan(actions=actions, attempt=2).plan_hash


def test_words_about_a_plan_do_not_change_what_is_approved() -> None:
    actions = (PlannedAction(action="a", parameters={}),)
    assert Plan(actions=actions, summary="x").plan_hash == Plan(actions=actions, summary="y").plan_hash


def test_spends_add_up() -> None:
    total = Spend(model_calls=1, usd=0.5) + Spend(model_calls=2, usd=0.25, bytes_scanned=7)
    assert total == Spend(model_calls=3, usd=0.75, bytes_scanned=7)


def test_four_statuses_are_ends() -> None:
    assert {s for s in Status if s.is_end} == {
        Status.RESOLVED,
        Status.NOISE,
        Status.UNRESOLVED,
        Status.ESCALATED,
    }
