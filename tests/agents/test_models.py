"""Which model a role is given, and why: small first, larger by rule, from settings."""

from dataclasses import replace

import pytest

from agents.models import ModelSettings, RoleModel, role_model
from memory.records.config import LargerRule, Limits
from memory.records.incident import Severity
from tests.agents.scripted import PRICES, role
from tools.aws.access import AwsAccess

RULE = LargerRule(roles=("triage",), severities=(Severity.CRITICAL,), margin=0.15)


def grown() -> RoleModel:
    small, _ = role()
    return replace(small, larger=replace(small, model_id="large-one", tier="large"), rule=RULE)


def test_an_ordinary_incident_is_given_the_small_tier() -> None:
    assert grown().fit_for(Severity.HIGH, (0.8, 0.3)).tier == "small"
    assert grown().fit_for(Severity.LOW).tier == "small"


@pytest.mark.parametrize(
    ("severity", "confidences", "why"),
    [
        (Severity.CRITICAL, (0.9,), "the severity is critical"),
        (Severity.LOW, (0.55, 0.5), "two explanations are 0.05 apart"),
    ],
)
def test_the_larger_tier_is_given_by_rule_and_the_reason_is_told(
    severity: Severity, confidences: tuple[float, ...], why: str
) -> None:
    given = grown().fit_for(severity, confidences)
    assert (given.tier, given.model_id, given.why) == ("large", "large-one", why)


def test_a_role_that_the_rule_does_not_name_keeps_its_tier() -> None:
    kept = replace(grown(), role="communicator").fit_for(Severity.CRITICAL)
    assert kept.tier == "small"


def test_settings_say_who_may_grow_and_whose_prompts_are_cached() -> None:
    settings = ModelSettings(
        region="us-east-1",
        tiers={"small": "local.rules-v1:0", "large": "global.anthropic.claude-sonnet-5-5"},
        roles={"triage": "small", "critic": "large"},
        prompt_cache=("anthropic",),
        larger=RULE,
        provider="local",
    )
    access = AwsAccess(region="us-east-1", access_key_id="AKIATEST", secret_access_key="secret")
    triage = role_model(access, settings, "triage", PRICES, Limits())
    assert (triage.tier, triage.cache_points) == ("small", False)
    assert triage.larger is not None
    assert (triage.larger.tier, triage.larger.cache_points) == ("large", True)
    assert role_model(access, settings, "critic", PRICES, Limits()).larger is None
    assert role_model(access, settings, "communicator", PRICES, Limits()).larger is None
