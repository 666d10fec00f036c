"""Deployments of CodeDeploy: read, taken for what they are, and stopped rather than fought."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.assessment import CauseKind, Hypothesis, Impact
from memory.records.config import Service, Topology
from memory.records.evidence import Gap
from memory.records.plan import Considered, PlannedAction
from tests.tools.stand_ins import NOW, ScriptedAccess, StillClock, sources
from tools.actions.base import State, happened
from tools.actions.codedeploy_stop import CodeDeployStop, CodeDeployStopParameters
from tools.analysis.causes.deployments import of_rollout
from tools.analysis.changes import changes_of, rollouts_in
from tools.analysis.findings import Findings, Rollout, ServiceFinding, Shift
from tools.collectors.shifts import shifts_in
from tools.observe.code_deployments import MOST, TARGETS, CodeDeployments, code_deployments
from tools.remedies.functions import earlier_version
from tools.remedies.place import Place

ID, MINUTE = "d-A1B2C3D4E", timedelta(minutes=1)
BLAMED = Hypothesis(
    kind=CauseKind.DEPLOYMENT, component="mailer", change="mailer:8", statement="It broke.", confidence=0.9
)


def deployed(identity: str = ID, **changed: Any) -> dict[str, Any]:
    told = {
        "deploymentId": identity,
        "applicationName": "post",
        "deploymentGroupName": "live",
        "deploymentConfigName": "slow",
        "computePlatform": "Lambda",
        "status": "InProgress",
        "creator": "user",
        "createTime": NOW - 9 * MINUTE,
        "startTime": NOW - 8 * MINUTE,
    }
    return {**told, **changed}


def denied(operation: str) -> ClientError:
    told: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    return ClientError(told, operation)


@dataclass
class CodeDeploy:
    """CodeDeploy with these deployments, each of which moves the mailer from version 7 to 8."""

    deployments: list[dict[str, Any]] = field(default_factory=list)
    target: dict[str, Any] = field(default_factory=dict)
    is_denied: bool = False
    calls: list[str] = field(default_factory=list)

    def list_applications(self) -> Any:
        self.calls.append("ListApplications")
        return {"applications": sorted({one["applicationName"] for one in self.deployments})}

    def list_deployments(self, **filters: Any) -> Any:
        self.calls.append("ListDeployments")
        if self.is_denied:
            raise denied("ListDeployments")
        wanted = filters.get("includeOnlyStatuses")
        found = [one for one in self.deployments if wanted is None or one["status"] in wanted]
        return {"deployments": [one["deploymentId"] for one in found]}

    def batch_get_deployments(self, deploymentIds: list[str]) -> Any:
        self.calls.append("BatchGetDeployments")
        assert len(deploymentIds) <= 25
        return {"deploymentsInfo": [one for one in self.deployments if one["deploymentId"] in deploymentIds]}

    def get_deployment(self, deploymentId: str) -> Any:
        found = [one for one in self.deployments if one["deploymentId"] == deploymentId]
        if not found:
            told: Any = {"Error": {"Code": "DeploymentDoesNotExistException", "Message": "none"}}
            raise ClientError(told, "GetDeployment")
        return {"deploymentInfo": found[0]}

    def list_deployment_targets(self, deploymentId: str) -> Any:
        self.calls.append("ListDeploymentTargets")
        return {"targetIds": ["mailer"]}

    def get_deployment_target(self, deploymentId: str, targetId: str) -> Any:
        moved = {"functionName": "mailer", "functionAlias": "live", "currentVersion": "7"}
        info = {**moved, "targetVersion": "8", "targetVersionWeight": 25.0, **self.target}
        return {"deploymentTarget": {"lambdaTarget": {"lambdaFunctionInfo": info}}}


@dataclass
class Lambda:
    """A function whose alias sends a share to version 8."""

    weights: dict[str, float] = field(default_factory=lambda: {"8": 0.25})

    def get_alias(self, **_: Any) -> Any:
        return self.list_aliases()["Aliases"][0]

    def list_aliases(self, **_: Any) -> Any:
        routing = {"AdditionalVersionWeights": self.weights}
        return {"Aliases": [{"Name": "live", "FunctionVersion": "7", "RoutingConfig": routing}]}

    def list_versions_by_function(self, **_: Any) -> Any:
        return {"Versions": [{"Version": one, "CodeSha256": f"sha-{one}"} for one in ("6", "7", "8")]}


# What is read.


def test_an_account_without_applications_is_asked_once() -> None:
    empty = CodeDeploy()

    seen = code_deployments(sources({"codedeploy": empty}), CodeDeployments())

    assert (seen.gaps, seen.result["deployments"], empty.calls) == ((), [], ["ListApplications"])


def test_a_deployment_is_told_with_what_it_moves_and_how_far_it_is() -> None:
    ended = deployed("d-000000001", status="Succeeded", completeTime=NOW - MINUTE)
    seen = code_deployments(sources({"codedeploy": CodeDeploy([ended, deployed()])}), CodeDeployments())

    first, second = seen.result["deployments"]
    assert (first["id"], first["in_progress"], first["percent"]) == (ID, True, 25.0)
    assert (first["function"], first["alias"]) == ("mailer", "live")
    assert (first["from_version"], first["to_version"]) == ("7", "8")
    assert (second["status"], second["in_progress"]) == ("Succeeded", False)


def test_of_many_deployments_it_is_said_which_were_not_looked_into() -> None:
    many = [deployed(f"d-{number:09}", status="Succeeded") for number in range(MOST + 5)]
    seen = code_deployments(sources({"codedeploy": CodeDeploy(many)}), CodeDeployments())

    assert seen.gaps == (Gap.TRUNCATED,)
    assert "not all" in seen.gap_detail and f"newest {TARGETS}" in seen.gap_detail


def test_a_deployment_to_another_platform_is_listed_and_its_targets_are_not_read() -> None:
    other = CodeDeploy([deployed(computePlatform="ECS")])
    seen = code_deployments(sources({"codedeploy": other}), CodeDeployments())

    (told,) = seen.result["deployments"]
    assert told["platform"] == "ECS" and "function" not in told
    assert "ListDeploymentTargets" not in other.calls


def test_codedeploy_that_may_not_be_read_is_a_gap() -> None:
    seen = code_deployments(
        sources({"codedeploy": CodeDeploy([deployed()], is_denied=True)}), CodeDeployments()
    )

    assert seen.gaps == (Gap.DENIED,) and "deployments" not in seen.result


# What it comes to.


def told(event: str, minutes: float, **parameters: Any) -> dict[str, Any]:
    at = (NOW + minutes * MINUTE).isoformat()
    by = "arn:aws:sts::1:assumed-role/deploys/" + ("build-5" if event == "CreateDeployment" else "codedeploy")
    service = "codedeploy" if event == "CreateDeployment" else "lambda"
    return {"at": at, "event": event, "service": service, "parameters": parameters, "failed": None, "by": by}


def moved(minutes: float, version: str, **weights: float) -> dict[str, Any]:
    routing = {"additionalVersionWeights": weights}
    named = {"functionName": "mailer", "name": "live", "functionVersion": version}
    return told("UpdateAlias20150331", minutes, **named, routingConfig=routing)


CREATED = told("CreateDeployment", -9, applicationName="post", deploymentGroupName="live")


def test_an_alias_that_gets_a_share_bit_by_bit_is_one_deployment_of_the_new_version() -> None:
    steps = [moved(-1, "8"), moved(-4, "7", **{"8": 0.5}), moved(-8, "7", **{"8": 0.25}), moved(-60, "7")]

    found = list(rollouts_in(steps, {"mailer"}, "ev-1"))

    assert [(one.task_definition, one.at) for one in found] == [
        ("mailer:8", NOW - 8 * MINUTE),
        ("mailer:7", NOW - 60 * MINUTE),
    ]


def test_a_version_that_came_back_after_another_is_a_deployment_again() -> None:
    steps = [moved(-1, "8"), moved(-4, "7"), moved(-8, "8")]

    assert [one.at for one in rollouts_in(steps, {"mailer"}, "ev-1")] == [
        NOW - MINUTE,
        NOW - 4 * MINUTE,
        NOW - 8 * MINUTE,
    ]


def test_a_deployment_that_names_the_function_is_no_change_of_its_settings() -> None:
    named = told("CreateDeployment", -9, applicationName="mailer", deploymentGroupName="live")

    assert list(changes_of([named], {"mailer"}, "ev-1")) == []


def test_who_made_a_deployment_is_told_by_the_trail() -> None:
    evidence = code_deployments(sources({"codedeploy": CodeDeploy([deployed()])}), CodeDeployments())

    (known,) = shifts_in(evidence, [CREATED], {"mailer"}, NOW)
    (unknown,) = shifts_in(evidence, [], {"mailer"}, NOW)

    assert (known.task_definition, known.at, known.by) == ("mailer:8", NOW - 8 * MINUTE, "build-5")
    assert unknown.by == "user"
    assert known.shift == Shift(ID, "post/live", NOW, True, 25.0)
    assert shifts_in(evidence, [], {"another"}, NOW) == ()


@pytest.mark.parametrize(
    ("until", "onset", "fits"),
    [(0, -20, True), (0, 10, True), (-25, 0, False), (0, -45, False)],
)
def test_what_goes_out_bit_by_bit_may_break_at_any_bit(until: int, onset: int, fits: bool) -> None:
    began: datetime = NOW + onset * MINUTE
    finding = ServiceFinding(Service(name="mailer"), Impact(component="mailer"), True, True, ("ev-2",))
    findings = Findings(began, ("ev-0",), False, 0, services=(replace(finding, since=began),))
    shift = Shift(ID, "post/live", NOW + until * MINUTE, until == 0, 50.0)
    rollout = Rollout("mailer", NOW - 40 * MINUTE, "mailer:8", "ev-1", is_version=True, shift=shift)

    found = of_rollout(rollout, findings).hypothesis

    assert (found.confidence >= 0.6) is fits, found.statement
    if fits:
        assert f"CodeDeploy deployment {ID} of post/live" in found.statement


# What is offered.


def offered(deploys: CodeDeploy, function: Lambda) -> list[PlannedAction | Considered]:
    access = ScriptedAccess("us-east-1", clients={"codedeploy": deploys, "lambda": function})
    return list(earlier_version(Place(access, Topology(), StillClock()), BLAMED))


def test_a_deployment_in_progress_is_stopped_and_its_alias_left_alone() -> None:
    stop, left = offered(CodeDeploy([deployed()]), Lambda())

    assert isinstance(stop, PlannedAction) and stop.action == "codedeploy_stop"
    assert stop.parameters == {
        "application": "post",
        "group": "live",
        "deployment": ID,
        "function": "mailer",
    }
    assert isinstance(left, Considered) and left.action == "lambda_shift_alias"
    assert "would take a shift back" in left.why_not


def test_a_rollback_under_way_is_neither_stopped_nor_overtaken() -> None:
    found = offered(CodeDeploy([deployed(creator="codeDeployRollback")]), Lambda())

    assert [one.action for one in found] == ["codedeploy_stop", "lambda_shift_alias"]
    assert all(isinstance(one, Considered) for one in found)


def test_where_codedeploy_may_not_be_read_a_shared_alias_is_left_alone() -> None:
    found = offered(CodeDeploy([deployed()], is_denied=True), Lambda())

    assert all(isinstance(one, Considered) and "may not be read" in one.why_not for one in found)
    assert {one.action for one in found} == {"codedeploy_stop", "lambda_shift_alias"}


def test_a_share_that_nobody_is_moving_is_taken_away_by_a_shift() -> None:
    (shift,) = offered(CodeDeploy([deployed(status="Succeeded")]), Lambda())

    assert isinstance(shift, PlannedAction)
    assert shift.parameters == {"function": "mailer", "alias": "live", "version": "7"}


# The action itself.

PARAMS = CodeDeployStopParameters(application="post", group="live", deployment=ID, function="mailer")
ACTION = CodeDeployStop()


def state_of(deploys: CodeDeploy, function: Lambda | None = None) -> State:
    clients = {"codedeploy": deploys, "lambda": function or Lambda()}
    return ACTION.read_state(ScriptedAccess("us-east-1", clients=clients), PARAMS)


def test_a_deployment_that_moves_the_function_may_be_stopped_by_its_share_of_traffic() -> None:
    state = state_of(CodeDeploy([deployed()]))

    assert ACTION.problems(PARAMS, state) == ()
    assert ACTION.blast_radius(PARAMS, state).share == 0.25
    assert "25% of the invocations" in ACTION.blast_radius(PARAMS, state).text


@pytest.mark.parametrize(
    ("deploys", "weights", "why"),
    [
        (CodeDeploy([deployed(computePlatform="ECS")]), {}, "deploys no function but to ECS"),
        (CodeDeploy([deployed(creator="codeDeployRollback")]), {"8": 0.2}, "takes another deployment back"),
        (CodeDeploy([deployed(status="Stopped")]), {"8": 0.2}, "is Stopped, not in progress"),
        (CodeDeploy([deployed(status="Created", startTime=None)]), {}, "is Created, not in progress"),
        (CodeDeploy([deployed(applicationName="other")]), {"8": 0.2}, "is of other/live"),
        (CodeDeploy([deployed()], {"functionName": "printer"}), {"8": 0.2}, "moves an alias of printer"),
        (CodeDeploy([deployed()]), {"6": 0.2}, "sends invocations to 6 by now"),
        (CodeDeploy([]), {}, "there is no CodeDeploy deployment"),
    ],
)
def test_what_is_no_such_deployment_is_refused(
    deploys: CodeDeploy, weights: dict[str, float], why: str
) -> None:
    found = ACTION.problems(PARAMS, state_of(deploys, Lambda(weights)))

    assert any(why in one for one in found), found


def test_what_an_approval_rests_on_does_not_change_as_the_deployment_goes_on() -> None:
    early = state_of(CodeDeploy([deployed()]))
    later = state_of(CodeDeploy([deployed()], {"targetVersionWeight": 50.0}), Lambda({"8": 0.5}))
    over = state_of(CodeDeploy([deployed(status="Succeeded")]), Lambda({}))

    assert ACTION.bound(early) == ACTION.bound(later) != ACTION.bound(over)


@pytest.mark.parametrize(
    ("after", "took"),
    [
        (deployed(status="Stopped", rollbackInfo={"rollbackDeploymentId": "d-000000002"}), True),
        (deployed(), False),
        (deployed(status="Stopped"), None),
        (deployed(status="Succeeded"), None),
    ],
)
def test_what_became_of_a_lost_answer_is_asked_of_codedeploy(
    after: dict[str, Any], took: bool | None
) -> None:
    before = state_of(CodeDeploy([deployed()]))
    access = ScriptedAccess("us-east-1", clients={"codedeploy": CodeDeploy([after]), "lambda": Lambda()})

    assert happened(ACTION, access, PARAMS, before) is took


@pytest.mark.parametrize(
    ("rollback", "settled"),
    [("InProgress", None), ("Succeeded", True), ("Failed", False), (None, None)],
)
def test_it_is_over_when_the_rollback_is(rollback: str | None, settled: bool | None) -> None:
    info: dict[str, Any] = {"rollbackInfo": {"rollbackDeploymentId": "d-000000002"}} if rollback else {}
    stopped = deployed(status="Stopped", **info)
    back = [deployed("d-000000002", status=rollback, creator="codeDeployRollback")] if rollback else []
    clients = {"codedeploy": CodeDeploy([stopped, *back]), "lambda": Lambda()}

    assert ACTION.settled(ScriptedAccess("us-east-1", clients=clients), PARAMS, {}) is settled
