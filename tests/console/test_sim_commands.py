"""`cloudops sim`, as people type it: the account comes up, is disturbed, watched, and goes down."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.watching import sparkline
from tests.console.commands import ROOT, Desk

WHOAMI = (
    "import boto3; print(boto3.client('sts').get_caller_identity()['Arn']);"
    "print([bucket['Name'] for bucket in boto3.client('s3').list_buckets()['Buckets']])"
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """A desk whose account runs, and what `sim up` printed."""
    desk = Desk(tmp_path_factory.mktemp("up"))
    done = desk.run("sim", "up", "--scenario", "false-alarm", "--seed", "4")
    assert done.returncode == 0, done.stderr
    yield desk, done.stdout
    desk.run("sim", "down")


@pytest.fixture
def desk(up: tuple[Desk, str]) -> Iterator[Desk]:
    yield up[0]
    up[0].run("sim", "fault", "clear")


def told(desk: Desk, *arguments: str) -> Any:
    done = desk.run("sim", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pasted(lines: str, folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a shell into which lines were pasted; another session is in the way there."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'{lines}\n"{sys.executable}" -c "$CODE"'],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CODE": code, "AWS_SESSION_TOKEN": "old", "AWS_PROFILE": "nobody"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_up_prints_can_be_pasted_as_it_is(up: tuple[Desk, str]) -> None:
    desk, printed = up
    done = pasted(printed, desk.folder, WHOAMI)
    buckets = "['cloudops-objects-123456789012-us-east-1']"
    assert done.stdout == f"arn:aws:iam::123456789012:root\n{buckets}\n", done.stderr
    again = pasted(desk.run("sim", "status", "--env").stdout, desk.folder, WHOAMI)
    assert again.stdout == done.stdout


def test_status_says_what_plays_and_where(desk: Desk) -> None:
    status = told(desk, "status")
    assert (status["scenario"], status["seed"], status["pace"]) == ("false-alarm", 4, 0.0)
    assert status["environment"]["AWS_ENDPOINT_URL"] == status["endpoint"]
    said = desk.run("sim", "status").stdout
    assert "false-alarm" in said
    assert status["endpoint"] in said


def test_a_second_account_is_refused_with_the_remedy(desk: Desk) -> None:
    done = desk.run("sim", "up")
    assert done.returncode == 2
    assert "cloudops sim down" in done.stderr


def test_a_fault_is_ordered_met_listed_and_cleared(desk: Desk) -> None:
    (fault,) = told(desk, "fault", "add", "ecs:Describe*", "throttle", "--times", "2", "--until", "+30m")
    assert fault["operation"] == "Describe*"
    code = (
        "import boto3; boto3.client('ecs', config=C(retries={'total_max_attempts': 1})).describe_clusters()"
    )
    called = pasted(
        desk.run("sim", "status", "--env").stdout,
        desk.folder,
        f"from botocore.config import Config as C; {code}",
    )
    assert "ThrottlingException" in called.stderr
    (listed,) = told(desk, "fault", "list")
    assert (listed["id"], listed["met"], listed["seen"]) == (fault["id"], 1, 1)
    assert "ecs:Describe* throttle" in desk.run("sim", "fault", "list").stdout
    assert desk.run("sim", "fault", "clear", fault["id"]).stdout == "lifted 1 fault\n"
    assert told(desk, "fault", "list") == []
    calls = told(desk, "calls", "--operation", "ecs:Describe*")
    assert [one["error_code"] for one in calls] == ["ThrottlingException"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fault", "add", "ecs:UpdatService", "throttle"], "did you mean UpdateService?"),
        (["fault", "add", "ecs:", "throttle"], "write ecs:UpdateService"),
        (["fault", "add", "ecs", "error"], "an error needs its code"),
        (["fault", "add", "ecs", "throttle", "--until", "soon"], "no span of time"),
        (["fault", "clear", "f99"], "no fault f99 is in force"),
        (["inject", "nonesuch"], "no scenario 'nonesuch'"),
        (["calls", "--since", "yesterday"], "no span of time"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(desk: Desk, arguments: list[str], said: str) -> None:
    done = desk.run("sim", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_calls_are_chosen_by_operation_caller_and_age(desk: Desk) -> None:
    whole = told(desk, "calls")
    assert {one["operation"] for one in whole} >= {"CreateTable", "CreateQueue"}
    assert {one["operation"] for one in told(desk, "calls", "--operation", "CreateTable")} == {"CreateTable"}
    assert told(desk, "calls", "--caller", "user/nobody") == []
    desk.run("sim", "clock", "+10m")
    assert len(told(desk, "calls", "--since", "5m")) < len(whole)
    done = desk.run("sim", "calls", "--operation", "CreateTable")
    assert "dynamodb:CreateTable  user/operator" in done.stdout
    assert desk.run("sim", "calls", "--caller", "user/nobody").stderr == "no such call\n"


def test_following_shows_each_call_once_until_ctrl_c(desk: Desk) -> None:
    following = desk.start("sim", "calls", "--follow", "--json", "--operation", "ListClusters")
    lines = desk.run("sim", "status", "--env").stdout
    before = len(told(desk, "calls"))
    pasted(lines, desk.folder, "import boto3; c = boto3.client('ecs'); c.list_clusters(); c.list_clusters()")
    until(lambda: len(told(desk, "calls")) >= before + 2)
    time.sleep(2)
    following.send_signal(signal.SIGINT)
    said, _ = following.communicate(timeout=20)
    assert following.returncode == 0, said
    assert [json.loads(line)["operation"] for line in said.splitlines()] == ["ListClusters"] * 2


def test_watch_prints_one_frame_where_there_is_no_terminal(desk: Desk) -> None:
    done = desk.run("sim", "watch", "--minutes", "15")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("false-alarm  20")
    (web,) = [line for line in lines if line.startswith("web ")]
    assert sum(web.count(bar) for bar in "▁▂▃▄▅▆▇█") >= 30
    assert "web-cpu-high OK" in done.stdout
    assert "\x1b" not in done.stdout
    assert {one["name"] for one in told(desk, "watch")["services"]} >= {"web", "checkout"}


def test_watch_goes_on_in_a_terminal_and_ctrl_c_leaves_it_whole(desk: Desk) -> None:
    leader, follower = pty.openpty()
    watching = subprocess.Popen(
        desk.command("sim", "watch"),
        cwd=desk.folder,
        env={**desk.environment, "TERM": "xterm", "COLUMNS": "110", "LINES": "40"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    shown = b""
    give_up = time.monotonic() + 30
    while shown.count(b"alarms") < 3 and time.monotonic() < give_up:
        shown += os.read(leader, 65536)
    watching.send_signal(signal.SIGINT)
    shown += drained(leader)
    assert watching.wait(timeout=20) == 0, shown[-2000:]
    assert shown.count(b"alarms") >= 3
    assert "▁".encode() in shown
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l") >= 0
    assert b"Traceback" not in shown


def test_injecting_and_resetting(desk: Desk) -> None:
    before = told(desk, "status")
    assert told(desk, "inject", "bad-deployment")["scenario"] == "bad-deployment"
    desk.run("sim", "clock", "+12m")
    alarms = {one["name"]: one["state"] for one in told(desk, "watch")["alarms"]}
    assert alarms["checkout-5xx"] == "ALARM"
    assert "bad-deployment at " in desk.run("sim", "status").stdout

    status = told(desk, "reset")

    assert (status["now"], status["injected"]) == (before["started"], [])
    assert "checkout-5xx" not in {one["name"] for one in told(desk, "watch")["alarms"]}
    assert desk.run("list").returncode == 0
    assert pasted(desk.run("sim", "status", "--env").stdout, desk.folder, WHOAMI).returncode == 0


def test_in_the_foreground_it_ends_with_ctrl_c(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    staying = desk.start("sim", "up", "--foreground", "--json")
    # What is printed says that the account is set up: Ctrl-C before that breaks the set-up off, which is no success.
    assert staying.stdout is not None
    said = ""
    while not said.endswith("\n}\n"):
        said += staying.stdout.readline() or pytest.fail(f"it ended: {said}")
    staying.send_signal(signal.SIGINT)
    staying.communicate(timeout=60)
    assert staying.returncode == 0, said
    assert json.loads(said)["environment"]["AWS_REGION"] == "us-east-1"
    assert not (desk.state_dir / "local.json").exists()


def test_down_keeps_the_account_and_up_resumes_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    refused = desk.run("sim", "up", "--resume")
    assert refused.returncode == 2
    assert "`cloudops sim up` starts one" in refused.stderr
    printed = desk.run("sim", "up", "--scenario", "false-alarm").stdout
    desk.run("sim", "clock", "+7m")
    desk.run("sim", "inject", "bad-deployment")
    pasted(printed, tmp_path, "import boto3; boto3.client('s3').create_bucket(Bucket='mine')")
    before = told(desk, "status")
    down = desk.run("sim", "down")
    assert "cloudops sim up --resume" in down.stdout

    up = desk.run("sim", "up", "--resume")

    assert up.returncode == 0, up.stderr
    after = told(desk, "status")
    same = ("scenario", "now", "seed", "started", "injected", "endpoint", "environment")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    # What the first printed still works: address and keys are the same.
    seen = pasted(printed, tmp_path, WHOAMI)
    assert "'mine'" in seen.stdout
    assert desk.run("list").returncode == 0
    assert desk.run("sim", "up", "--resume", "--seed", "2").returncode == 2
    desk.run("sim", "down")


def test_sparklines_are_as_high_as_the_largest() -> None:
    assert sparkline([0, 1, 4, 8, None, 8]) == "▁▂▅█ █"
    assert sparkline([0, 0, 0]) == "▁▁▁"
    assert sparkline([]) == ""
    assert sparkline([None, 0.5]) == " █"


def drained(leader: int) -> bytes:
    found = b""
    while True:
        try:
            read = os.read(leader, 65536)
        except OSError:  # what Linux says when nobody has the other end open
            return found
        if not read:
            return found
        found += read


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.1)


@pytest.mark.slow
def test_the_documents_commands_run_as_they_are_pasted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    text = (ROOT / "docs/simulator.md").read_text(encoding="utf-8")
    sections = text[text.index("\n## Commands\n") : text.index("\n## What is simplified\n")]
    blocks = re.findall(r"^```sh\n(.*?)^```$", sections, re.M | re.S)
    assert len(blocks) == 3
    command = f'cloudops() {{ "{sys.executable}" -m cli "$@"; }}\n'
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command + block],
            cwd=tmp_path,
            env=dict(desk.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    desk.run("sim", "down")
