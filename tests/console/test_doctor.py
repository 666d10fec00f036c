"""What the doctor finds, and what it says to do: on AWS's own protocols, with credentials as a shell gives them."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from console.permitted import declared_calls, look_at_actions, policy_source
from memory.records.scope import Scope
from tests.console.commands import ROOT, Desk
from tests.simulated import SimulatedAccount, started_account
from tools.actions.base import IamStatement, Parameters
from tools.actions.ecs_rollback import EcsRollbackService
from tools.actions.registry import ACTIONS
from tools.aws.access import AwsAccess

HOME = Scope(tenant="default", account="123456789012", region="us-east-1")
USER = "judged"
AWS_NAMES = ("AWS_", "CLOUDOPS_")


@dataclass(frozen=True)
class AwsDesk(Desk):
    """A desk whose shell names an account as any shell on AWS does."""

    shell: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        own = {name: value for name, value in super().environment.items() if not name.startswith(AWS_NAMES)}
        return {
            **own,
            "CLOUDOPS_WORLD": "aws",
            "CLOUDOPS_STATE_DIR": str(self.state_dir),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self.folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "none"),
            **self.shell,
        }

    def finds(self) -> tuple[int, dict[str, Any]]:
        done = self.run_here("doctor", "--json")
        assert done.stderr == ""
        return done.exit_code, json.loads(done.stdout)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedAccount]:
    running = started_account(tmp_path_factory.mktemp("doctor"))
    yield running
    running.end()


def shell(account: SimulatedAccount, **changed: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_REGION": account.local["region"],
        "AWS_ACCESS_KEY_ID": account.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.credentials.secret_access_key,
        **changed,
    }


def bad(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for line in told["looks"] if line["finding"] == "bad"]


def test_an_account_named_by_the_shell_is_found_well_once_it_is_set_up(
    account: SimulatedAccount, tmp_path: Path
) -> None:
    desk = AwsDesk(tmp_path, shell(account))
    code, told = desk.finds()
    assert code == 1
    assert [line["remedy"] for line in bad(told)] == ["run: cloudops setup"]
    assert desk.run("setup").returncode == 0
    code, told = desk.finds()
    assert (code, told["well"], told["exit_code"]) == (0, True, 0), bad(told)
    looked = "\n".join(line["what"] for line in told["looks"])
    for action in ACTIONS:
        assert f"action {action.name}" in looked
    assert f"account {account.local['account']} is only observed" in looked


DEAD, QUEUE = "letters-incidents-dead", "letters-incidents"


def test_each_queue_has_its_line_that_says_when_it_is_gone(account: SimulatedAccount, tmp_path: Path) -> None:
    desk, sqs = AwsDesk(tmp_path, shell(account, CLOUDOPS_PREFIX="letters")), account.client("sqs")

    def gone() -> dict[str, str]:
        """The remedy of each queue that is not there; every queue has a line."""
        lines = [line for line in desk.finds()[1]["looks"] if line["what"].startswith("queue ")]
        assert [line["what"].partition(":")[0] for line in lines] == [f"queue {QUEUE}", f"queue {DEAD}"]
        assert {line["finding"] for line in lines} <= {"ok", "bad"}
        return {line["what"].partition(":")[0]: line["remedy"] for line in lines if line["finding"] == "bad"}

    def delete(name: str) -> None:
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])

    assert desk.run_here("setup").exit_code == 0
    assert gone() == {}
    delete(DEAD)
    assert gone() == {f"queue {DEAD}": "run: cloudops setup"}
    assert desk.run_here("setup").exit_code == 0
    delete(QUEUE)
    assert gone() == {f"queue {QUEUE}": "run: cloudops setup"}
    assert desk.run_here("setup").exit_code == 0
    assert gone() == {}


def test_a_level_for_a_service_that_nobody_knows_is_to_be_mended(
    account: SimulatedAccount, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "settings", tmp_path / "settings")
    with (tmp_path / "settings" / "autonomy.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[levels]]\nservice = "chekout"\nlevel = "observe"\n')
    desk = AwsDesk(tmp_path, shell(account, CLOUDOPS_SETTINGS=str(tmp_path / "settings")))
    code, told = desk.finds()
    assert code == 1
    assert any("no service chekout" in line["what"] for line in bad(told)), bad(told)


def test_people_read_the_same_lines(account: SimulatedAccount, tmp_path: Path) -> None:
    done = AwsDesk(tmp_path, shell(account)).run("doctor")
    assert "STS: arn:aws:iam::123456789012:user/operator" in done.stdout


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken"])
def test_credentials_that_sts_refuses_are_said_with_the_remedy(
    account: SimulatedAccount, tmp_path: Path, code: str
) -> None:
    account.faults(
        [
            {
                "service": "sts",
                "operation": "GetCallerIdentity",
                "kind": "error",
                "code": code,
                "status": 403,
                "message": "The security token included in the request is invalid.",
                "times": -1,
            }
        ]
    )
    try:
        ended, told = AwsDesk(tmp_path, shell(account)).finds()
    finally:
        account.clear_faults()
    assert ended == 3
    (line,) = bad(told)
    assert code in line["what"]
    assert "sign in anew" in line["remedy"]


def test_without_credentials_it_is_said_how_to_give_them(account: SimulatedAccount, tmp_path: Path) -> None:
    given = shell(account)
    del given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]
    code, told = AwsDesk(tmp_path, given).finds()
    assert code == 3
    assert "AWS_PROFILE" in bad(told)[0]["remedy"]


def test_a_profile_that_does_not_exist_is_named(account: SimulatedAccount, tmp_path: Path) -> None:
    given = shell(account, AWS_PROFILE="nobody")
    del given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]
    code, told = AwsDesk(tmp_path, given).finds()
    assert code == 3
    assert "nobody" in bad(told)[0]["what"]
    assert "AWS_PROFILE" in bad(told)[0]["remedy"]


def test_an_endpoint_where_nothing_answers_is_named(account: SimulatedAccount, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    code, told = AwsDesk(tmp_path, shell(account, AWS_ENDPOINT_URL=nowhere)).finds()
    assert code == 3
    assert nowhere in bad(told)[0]["remedy"]


def test_a_shell_without_a_region_is_misconfigured(account: SimulatedAccount, tmp_path: Path) -> None:
    given = shell(account)
    del given["AWS_REGION"]
    code, told = AwsDesk(tmp_path, given).finds()
    assert code == 2
    assert "AWS_REGION" in bad(told)[0]["remedy"]


@pytest.fixture
def access(account: SimulatedAccount) -> AwsAccess:
    keys = account.credentials
    return AwsAccess(account.local["region"], account.endpoint, keys.access_key_id, keys.secret_access_key)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: str(action.name))
def test_every_action_declares_the_calls_that_are_asked_for(action: Any) -> None:
    calls = declared_calls(action, HOME)
    assert calls
    for call in calls:
        service, _, operation = call.partition(":")
        assert service.islower(), call
        assert operation[:1].isupper(), call


class Restart(Parameters):
    """Parameters of every kind that a catalogue may know."""

    service: str = Field(pattern="^[a-z]+$")
    count: int
    forced: bool
    zones: tuple[str, ...]
    reason: str = "asked for"


EXAMPLE = {"service": "basket", "count": 1, "forced": True, "zones": ("a",)}


class RestartService(EcsRollbackService):
    """An action that nobody has named to the doctor."""

    def permissions(self, params: Any, scope: Scope) -> tuple[IamStatement, ...]:
        resources = tuple(f"{scope.region}/{params.service}/{zone}" for zone in params.zones)
        return (IamStatement(actions=("ecs:StopTask",) * params.count, resources=resources),)


def test_a_further_action_is_asked_for_by_itself(account: SimulatedAccount, access: AwsAccess) -> None:
    arn = access.client("sts").get_caller_identity()["Arn"]
    catalogue = (*ACTIONS, RestartService(name="restart_service", parameters=Restart, example=EXAMPLE))  # type: ignore[arg-type]
    lines = list(look_at_actions(access, arn, HOME, catalogue))
    assert len(lines) == len(catalogue)
    assert "restart_service" in lines[-1].what
    assert "ecs:StopTask" in lines[-1].remedy


@pytest.mark.parametrize(
    ("effect", "finding", "said"),
    [
        ("Allow", "ok", "ecs:UpdateService"),
        ("Deny", "bad", "denied"),
        (None, "note", "not on every resource"),
    ],
)
def test_iam_is_believed(
    account: SimulatedAccount, access: AwsAccess, effect: str | None, finding: str, said: str
) -> None:
    iam = account.client("iam")
    if not [one for one in iam.list_users()["Users"] if one["UserName"] == USER]:
        iam.create_user(UserName=USER)
    statement = {"Effect": effect or "Allow", "Action": "ecs:*" if effect else "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=USER, PolicyName="tried", PolicyDocument=document)
    arn = f"arn:aws:iam::{account.local['account']}:user/{USER}"
    (line,) = look_at_actions(access, arn, HOME, (EcsRollbackService(),))
    assert (line.finding.value, said in line.what) == (finding, True), line


def test_where_iam_may_not_be_asked_nothing_is_claimed(account: SimulatedAccount, access: AwsAccess) -> None:
    refusal = {"service": "iam", "operation": "SimulatePrincipalPolicy", "kind": "error"}
    account.faults([{**refusal, "code": "AccessDenied", "status": 403, "times": -1}])
    try:
        (line,) = look_at_actions(access, "arn:aws:iam::123456789012:user/x", HOME, (EcsRollbackService(),))
    finally:
        account.clear_faults()
    assert (line.finding.value, "not permitted" in line.what) == ("note", True)


def test_a_session_of_a_role_is_judged_by_its_role() -> None:
    session = "arn:aws-cn:sts::123456789012:assumed-role/cloudops-approver/ann"
    assert policy_source(session) == "arn:aws-cn:iam::123456789012:role/cloudops-approver"
    for other in ("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:root"):
        assert policy_source(other) == other


def test_every_service_that_is_read_has_a_look_of_its_own() -> None:
    looked = (ROOT / "console/doctor.py").read_text()
    for path in (ROOT / "tools/observe").glob("*.py"):
        for line in path.read_text().splitlines():
            if '.client("' in line:
                service = line.partition('.client("')[2].partition('"')[0]
                assert f'("{service}:' in looked, f"{path.name} reads {service}: add its look to _reads"
