"""The value of a parameter whose name says that it is a secret is taken out where it is read; all else stays."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from memory.records.assessment import Impact
from memory.records.config import Service
from tests.tools.stand_ins import Kept, recorder
from tools.actions.ssm_parameter import SsmRevert, SsmRevertParameter
from tools.analysis.findings import AccountChange, Findings, ServiceFinding
from tools.analysis.hypotheses import rank
from tools.collectors.settings import values_around
from tools.observe.parameter_history import ParameterHistory, parameter_history
from tools.secret_names import names_secret, parameter_holds_secret

ONSET = datetime(2026, 1, 1, 2, tzinfo=UTC)
VALUES = ("OldPass99", "hunter2-Prod!", "OldPass99", "hunter3-Prod!")
SECRET, PLAIN = "/shop/checkout/db-password", "/shop/checkout/limit"


class Parameters:
    """Answers GetParameterHistory and takes PutParameter, as Parameter Store does."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def client(self, _: str) -> "Parameters":
        return self

    def get_parameter_history(self, **asked: Any) -> dict[str, Any]:
        values = [*VALUES, *(one["Value"] for one in self.put)]
        return {
            "Parameters": [
                {
                    "Name": asked["Name"],
                    "Type": "String",
                    "Version": number,
                    "Value": value,
                    "LastModifiedDate": ONSET - timedelta(minutes=50 - 10 * number - 9 * (number == 4)),
                }
                for number, value in enumerate(values, 1)
            ]
        }

    def put_parameter(self, **asked: Any) -> dict[str, Any]:
        self.put.append(asked)
        return {"Version": len(VALUES) + len(self.put)}


def _evidence(name: str) -> Any:
    recorded = recorder(Kept())
    source = SimpleNamespace(access=Parameters(), clock=recorded.clock, recorder=recorded)
    return parameter_history(cast(Any, source), ParameterHistory(name=name))


def _change(name: str) -> AccountChange:
    change = AccountChange("checkout", ONSET - timedelta(minutes=1), "PutParameter", "ev-1", name)
    value, old = values_around(_evidence(name), change.at)
    return replace(change, value=value, old=old)


def _ranked(name: str) -> Any:
    service = Service(name="checkout")
    ill = ServiceFinding(service, Impact(component="checkout"), True, True, ("ev-2",))
    return rank(Findings(ONSET, ("ev-alarm",), False, 0, services=(ill,), changes=(_change(name),)))


def _is_free(told: Any) -> bool:
    return not any(value in str(told) for value in VALUES)


def test_a_secret_in_plain_text_is_not_stored() -> None:
    seen = _evidence(SECRET)
    assert [one["value"] for one in seen.result["versions"]] == ["[secret]"] * 4
    assert [one["version"] for one in seen.result["versions"]] == [1, 2, 3, 4]
    assert _is_free(seen.model_dump_json())
    assert [one["value"] for one in _evidence(PLAIN).result["versions"]] == list(VALUES)


def test_a_changed_secret_is_a_cause_that_names_versions_instead_of_values() -> None:
    told = _ranked(SECRET)
    (cause,) = told.hypotheses
    assert cause.component == SECRET
    assert cause.change == "version 4"
    assert "was set from version 3 to version 4" in cause.statement
    assert _is_free(told)
    assert "was set from OldPass99 to hunter3-Prod!" in _ranked(PLAIN).hypotheses[0].statement


def test_a_secret_is_put_back_by_version_and_shown_to_nobody() -> None:
    action, access = SsmRevertParameter(), cast(Any, Parameters())
    asked = SsmRevert(name=SECRET, version=3)
    state = action.read_state(access, asked)
    assert action.problems(asked, state) == ()
    (signal,) = action.expected(asked, state)
    back = action.inverse(asked, state)
    shown = json.dumps([state, action.blast_radius(asked, state).text, signal.text, back])
    assert _is_free(shown)
    # A digest of a weak password tells it to whoever tries a list.
    assert action.read_state(access, asked)["value_sha256"] != _plain_state()["value_sha256"]
    assert "version 4 to the value of version 3" in action.blast_radius(asked, state).text

    action.call(access, asked, state, "t")

    assert access.put[-1]["Value"] == "OldPass99"
    after = action.read_state(access, asked)
    assert action.holds(asked, after) and after[str(signal.state_key)] == signal.level
    assert back == {"name": SECRET, "version": 4}
    assert "has the value of version 3 already" in action.problems(asked, after)[0]


def _plain_state() -> dict[str, Any]:
    return dict(SsmRevertParameter().read_state(cast(Any, Parameters()), SsmRevert(name=PLAIN, version=3)))


@pytest.mark.parametrize(
    "name",
    [
        "/shop/checkout/db-password",
        "/shop/checkout/DB_PASSWORD",
        "/shop/DBPASSWORD",
        "/shop/dbPassword",
        "/shop/db-password-prod",
        "/shop/password-for-orders",
        "/shop/stripe-api-key",
        "/shop/StripeApiKey",
        "/shop/client-secret",
        "/shop/slack-token",
        "/shop/db-pass",
        "/shop/secrets/stripe",
        "smtp_credentials",
    ],
)
def test_a_name_says_that_its_value_is_a_secret(name: str) -> None:
    assert parameter_holds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "/storefront/web/recommendations",
        "/shop/password-min-length",
        "/shop/token-bucket-size",
        "/shop/max-tokens",
        "/shop/session-token-ttl",
        "/shop/secret-rotation-days",
        "/shop/password-policy",
        "/shop/secrets/rotation-days",
        "/shop/first-pass",
        "/shop/bypass",
        "/shop/compass-mode",
        "/shop/partition-key",
        "/shop/secretary-mail",
        "/shop/passenger",
        "/",
    ],
)
def test_an_ordinary_parameter_is_read(name: str) -> None:
    assert not parameter_holds_secret(name)
    assert not names_secret(name)


def test_a_member_of_json_is_a_secrets_by_the_end_of_its_name() -> None:
    assert all(map(names_secret, ("DB_PASSWORD", "apiKey", "password2", "PGPASSWORD", "secret-value")))
    assert not any(
        map(names_secret, ("nextToken", "clientToken", "secretName", "SecretsManager", "pass", "k"))
    )
