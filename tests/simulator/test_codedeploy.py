"""CodeDeploy moves aliases step by step, and the functions' traffic follows."""

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, accounts

IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/order-confirmer"
ROLE = "arn:aws:iam::123456789012:role/deploys"
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
LINEAR = "CodeDeployDefault.LambdaLinear10PercentEvery1Minute"
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
names = (f"f{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        yield start("bad-shift", history_hours=0.2)


class Shop:
    """A function with two versions behind an alias, and a deployment group of its own."""

    def __init__(self, account: SimulatedAccount, **group: Any) -> None:
        self.account, self.name = account, next(names)
        self.functions, self.deploys = account.client("lambda"), account.client("codedeploy")
        named = {"FunctionName": self.name}
        code = {"ImageUri": f"{IMAGES}:0.17.4"}
        self.functions.create_function(**named, Code=code, Role=ROLE, PackageType="Image", Publish=True)
        self.functions.update_function_code(**named, ImageUri=f"{IMAGES}:0.18.0", Publish=True)
        self.functions.create_alias(**named, Name="live", FunctionVersion="1")
        self.deploys.create_application(applicationName=self.name, computePlatform="Lambda")
        self.group = {"applicationName": self.name, "deploymentGroupName": "live"}
        given = {"deploymentConfigName": LINEAR, "serviceRoleArn": ROLE, "deploymentStyle": STYLE, **group}
        self.deploys.create_deployment_group(**self.group, **given)

    def appspec(self, current: str = "1", target: str = "2", **changed: Any) -> dict[str, Any]:
        properties = {"Name": self.name, "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
        resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
        content = json.dumps({"version": 0.0, "Resources": [{self.name: resource}], **changed})
        return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}

    def deploy(self, **given: Any) -> str:
        asked = {"revision": self.appspec(), **given}
        return str(self.deploys.create_deployment(**self.group, **asked)["deploymentId"])

    def deployment(self, identity: str) -> dict[str, Any]:
        return dict(self.deploys.get_deployment(deploymentId=identity)["deploymentInfo"])

    def routed(self) -> tuple[str, dict[str, float]]:
        alias = self.functions.get_alias(FunctionName=self.name, Name="live")
        return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_a_linear_deployment_moves_the_alias_tenth_by_tenth(account: SimulatedAccount) -> None:
    shop = Shop(account)
    identity = shop.deploy(description="build 7")
    assert shop.deployment(identity)["status"] == "Created"
    assert shop.routed() == ("1", {})

    seen = []
    for _ in range(3):
        account.advance(20)
        seen.append(shop.routed())
        account.advance(40)

    assert seen == [("1", {"2": 0.1}), ("1", {"2": 0.2}), ("1", {"2": 0.3})]
    under_way = shop.deployment(identity)
    assert (under_way["status"], under_way["creator"], under_way["description"]) == (
        "InProgress",
        "user",
        "build 7",
    )
    assert under_way["deploymentOverview"]["InProgress"] == 1
    account.advance(minutes=7)
    assert shop.routed() == ("2", {})
    done = shop.deployment(identity)
    assert done["status"] == "Succeeded"
    took = done["completeTime"] - done["startTime"]
    assert timedelta(minutes=9) <= took <= timedelta(minutes=9, seconds=10)


def test_a_canary_waits_between_its_two_steps_and_all_at_once_has_one(account: SimulatedAccount) -> None:
    canary, at_once = Shop(account), Shop(account)
    canary.deploy(deploymentConfigName=CANARY)
    at_once.deploy(deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")

    account.advance(minutes=4)
    assert (canary.routed(), at_once.routed()) == (("1", {"2": 0.1}), ("2", {}))
    account.advance(minutes=2)
    assert canary.routed() == ("2", {})


def test_a_teams_own_configuration_shifts_as_it_says(account: SimulatedAccount) -> None:
    shop = Shop(account)
    terms = {"linearPercentage": 40, "linearInterval": 2}
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": terms}
    name = f"own-{shop.name}"
    own = {"deploymentConfigName": name, "computePlatform": "Lambda", "trafficRoutingConfig": routing}
    shop.deploys.create_deployment_config(**own)
    shop.deploy(deploymentConfigName=name)

    seen = []
    for _ in range(3):
        account.advance(minutes=1)
        seen.append(shop.routed())
        account.advance(minutes=1)

    assert seen == [("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]
    info = shop.deploys.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    assert info["trafficRoutingConfig"] == routing
    assert name in shop.deploys.list_deployment_configs()["deploymentConfigsList"]
    assert refused(shop.deploys.create_deployment_config, **own) == "DeploymentConfigAlreadyExistsException"


def test_a_stop_with_rollback_is_a_deployment_of_its_own(account: SimulatedAccount) -> None:
    shop = Shop(account)
    identity = shop.deploy()
    account.advance(minutes=2)

    answer = shop.deploys.stop_deployment(deploymentId=identity, autoRollbackEnabled=True)
    assert answer["status"] == "Succeeded"
    account.advance(20)

    stopped = shop.deployment(identity)
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    back = shop.deployment(stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == identity
    assert shop.routed() == ("1", {})
    again = {"deploymentId": identity, "autoRollbackEnabled": True}
    assert refused(shop.deploys.stop_deployment, **again) == "DeploymentAlreadyCompletedException"


def test_a_stop_without_rollback_leaves_the_weights_where_they_are(account: SimulatedAccount) -> None:
    shop = Shop(account)
    identity = shop.deploy()
    account.advance(minutes=2)
    weights = shop.routed()

    shop.deploys.stop_deployment(deploymentId=identity)
    account.advance(minutes=5)

    assert shop.routed() == weights == ("1", {"2": 0.2})
    assert "rollbackInfo" not in shop.deployment(identity)


def test_the_next_step_takes_an_alias_back_that_somebody_moved_meanwhile(account: SimulatedAccount) -> None:
    shop = Shop(account)
    shop.deploy()
    account.advance(20)
    moved = {"FunctionName": shop.name, "Name": "live", "FunctionVersion": "1"}
    shop.functions.update_alias(**moved, RoutingConfig={"AdditionalVersionWeights": {}})

    account.advance(minutes=1)

    assert shop.routed() == ("1", {"2": 0.2})


def test_an_alarm_stops_a_deployment_and_takes_back_what_was_shifted(account: SimulatedAccount) -> None:
    cloudwatch, alarm = account.client("cloudwatch"), "stops-deployments"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Mine",
        MetricName="Any",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    watched = {
        "alarmConfiguration": {"enabled": True, "alarms": [{"name": alarm}]},
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    }
    shop = Shop(account, **watched)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="as always")
    identity = shop.deploy()
    account.advance(20)
    assert shop.routed() == ("1", {"2": 0.1})

    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="it fails")
    account.advance(20)

    stopped = shop.deployment(identity)
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert shop.routed() == ("1", {})
    late = shop.deploy()
    account.advance(20)
    assert shop.deployment(late)["status"] == "Stopped"
    assert shop.routed() == ("1", {})


def test_a_deployment_that_does_not_fit_the_alias_fails_and_moves_nothing(account: SimulatedAccount) -> None:
    shop = Shop(account, autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    wrong = shop.deploy(revision=shop.appspec(current="2", target="1"))
    account.advance(20)
    missing = shop.deploy(revision=shop.appspec(target="9"))
    account.advance(20)

    codes = [shop.deployment(one)["errorInformation"]["code"] for one in (wrong, missing)]
    assert codes == ["INVALID_LAMBDA_CONFIGURATION", "INVALID_LAMBDA_FUNCTION"]
    assert shop.deployment(wrong)["status"] == "Failed"
    assert "rollbackDeploymentId" not in shop.deployment(wrong)["rollbackInfo"]
    assert shop.routed() == ("1", {})


def test_deployments_are_listed_by_group_status_and_time(account: SimulatedAccount) -> None:
    shop = Shop(account)
    begun = account.now()
    first = shop.deploy(deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")
    account.advance(minutes=1)
    second = shop.deploy(revision=shop.appspec(current="2", target="1"))

    def listed(**filters: Any) -> list[str]:
        return list(shop.deploys.list_deployments(**filters)["deployments"])

    assert listed(**shop.group) == [second, first]
    assert listed(**shop.group, includeOnlyStatuses=["Created", "Queued", "InProgress"]) == [second]
    after = {"start": begun + timedelta(seconds=30)}
    assert listed(**shop.group, createTimeRange=after) == [second]
    assert {first, second} <= set(listed(createTimeRange={"start": begun}))
    assert listed(createTimeRange={"end": begun - timedelta(days=90)}) == []
    batch = shop.deploys.batch_get_deployments(deploymentIds=[first, second, "d-ABCDEFGHI"])
    assert [one["status"] for one in batch["deploymentsInfo"]] == ["Succeeded", "Created"]
    group = shop.deploys.get_deployment_group(**shop.group)["deploymentGroupInfo"]
    assert group["lastSuccessfulDeployment"]["deploymentId"] == first
    assert group["lastAttemptedDeployment"]["deploymentId"] == second


def test_a_deployments_target_says_which_versions_share_the_traffic(account: SimulatedAccount) -> None:
    shop = Shop(account)
    identity = shop.deploy()
    targets = {"deploymentId": identity}
    assert refused(shop.deploys.list_deployment_targets, **targets) == "DeploymentNotStartedException"
    account.advance(minutes=1, seconds=20)

    (named,) = shop.deploys.list_deployment_targets(**targets)["targetIds"]
    whole = shop.deploys.get_deployment_target(**targets, targetId=named)["deploymentTarget"]
    assert whole["deploymentTargetType"] == "LambdaTarget"
    assert whole["lambdaTarget"]["lambdaFunctionInfo"] == {
        "functionName": shop.name,
        "functionAlias": "live",
        "currentVersion": "1",
        "targetVersion": "2",
        "targetVersionWeight": 20.0,
    }
    batch = shop.deploys.batch_get_deployment_targets(**targets, targetIds=[named])["deploymentTargets"]
    assert batch == [whole]
    missing = {**targets, "targetId": "nobody"}
    assert refused(shop.deploys.get_deployment_target, **missing) == "DeploymentTargetDoesNotExistException"


def test_a_group_has_one_deployment_at_a_time(account: SimulatedAccount) -> None:
    shop = Shop(account)
    identity = shop.deploy()

    with pytest.raises(ClientError, match=f"already has an active Deployment '{identity}'") as caught:
        shop.deploy()

    assert caught.value.response["Error"]["Code"] == "DeploymentLimitExceededException"


def test_what_does_not_exist_or_is_not_simulated_is_refused(account: SimulatedAccount) -> None:
    shop = Shop(account)
    deploys, nobody = shop.deploys, {"applicationName": "nobody"}
    server = {"applicationName": "servers"}
    s3 = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "YAML"}}
    hooked = shop.appspec(Hooks=[{"BeforeAllowTraffic": "check"}])
    create = deploys.create_deployment

    assert refused(deploys.create_application, **server) == "InvalidComputePlatformException"
    assert refused(deploys.get_application, **nobody) == "ApplicationDoesNotExistException"
    assert refused(deploys.list_deployments, **nobody) == "DeploymentGroupNameRequiredException"
    assert refused(create, **nobody, deploymentGroupName="x") == "ApplicationDoesNotExistException"
    assert refused(create, **shop.group) == "RevisionRequiredException"
    assert refused(create, **shop.group, revision=s3) == "InvalidRevisionException"
    assert refused(create, **shop.group, revision=hooked) == "InvalidRevisionException"
    ecs = {"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce", "revision": shop.appspec()}
    assert refused(create, **shop.group, **ecs) == "InvalidDeploymentConfigNameException"
    assert refused(deploys.get_deployment, deploymentId="x") == "InvalidDeploymentIdException"
    assert refused(deploys.stop_deployment, deploymentId="d-ABCDEFGHI") == "DeploymentDoesNotExistException"
    in_place = {"serviceRoleArn": ROLE, "applicationName": shop.name, "deploymentGroupName": "in-place"}
    assert refused(deploys.create_deployment_group, **in_place) == "InvalidDeploymentStyleException"
    assert refused(deploys.delete_application, applicationName=shop.name) == "UnknownOperationException"


@pytest.mark.slow
def test_the_events_deployment_is_under_way_and_its_share_of_batches_fails() -> None:
    with accounts() as start:
        account = start("bad-shift", history_hours=0.2)
        deploys = account.client("codedeploy")
        account.advance(minutes=12)
        (identity,) = deploys.list_deployments()["deployments"]
        info = deploys.get_deployment(deploymentId=identity)["deploymentInfo"]
        assert (info["applicationName"], info["status"]) == ("order-confirmer", "InProgress")

        moves = [one for one in account.calls("UpdateAlias") if one["service"] == "lambda"]
        assert [one["parameters"]["RoutingConfig"]["AdditionalVersionWeights"] for one in moves] == [
            {"8": 0.25}
        ]
        assert moves[0]["caller_arn"].endswith(":assumed-role/storefront-codedeploy/codedeploy")
        quarter = failing(account)
        account.advance(minutes=20)
        three_quarters = failing(account)
        deploys.stop_deployment(deploymentId=identity, autoRollbackEnabled=True)
        account.advance(minutes=12)

        assert 0.1 < quarter < 0.4 < three_quarters
        assert failing(account) == 0
        created = account.calls("CreateDeployment")
        assert [one["service"] for one in created] == ["codedeploy"]
        trail = account.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateDeployment"}]
        )["Events"]
        assert trail[0]["EventSource"] == "codedeploy.amazonaws.com"
        assert ("AWS::CodeDeploy::Application", "order-confirmer") in [
            (one["ResourceType"], one["ResourceName"]) for one in trail[0]["Resources"]
        ]


def failing(account: SimulatedAccount) -> float:
    """The share of the function's invocations that failed in the last eight minutes."""
    now = account.now()

    def total(metric: str) -> float:
        points = account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": "orders-events"}],
            StartTime=now - timedelta(minutes=8),
            EndTime=now,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(one["Sum"] for one in points))

    return total("Errors") / total("Invocations")
