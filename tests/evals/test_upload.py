"""Results go to LangSmith when it is configured, and nothing leaves the machine when it is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.run import main
from evals.upload import configured
from graphs.settings import read_outward
from tests.evals.langsmith_server import LangSmithServer, langsmith_server
from tests.evals.outcomes import WRONG, rolled_back
from tools.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[2]
LISTED = read_outward(ROOT / "settings")
ON = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "k"}
NOT_CONFIGURED = [
    {},
    {"LANGSMITH_API_KEY": "k"},
    {"LANGSMITH_TRACING": "true"},
    {"LANGSMITH_API_KEY": " ", "LANGSMITH_TRACING": "true"},
    {"LANGSMITH_API_KEY": "k", "LANGSMITH_TRACING": "false"},
    {"LANGSMITH_API_KEY": "k", "LANGCHAIN_TRACING_V2": "true"},
]


def in_a_process(server: LangSmithServer, environment: dict[str, str], *command: str) -> int:
    """Run a module with LangSmith, and the way to anywhere else, leading to a server of ours."""
    foreign = ("langsmith_", "langchain_", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
    kept = {name: value for name, value in os.environ.items() if not name.lower().startswith(foreign)}
    ours = {
        "LANGSMITH_ENDPOINT": server.endpoint,
        "HTTP_PROXY": server.endpoint,
        "HTTPS_PROXY": server.endpoint,
        "ALL_PROXY": server.endpoint,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**kept, **ours, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert "scores with" in done.stdout, done.stderr
    return done.returncode


@pytest.mark.parametrize("environment", NOT_CONFIGURED)
def test_a_key_or_a_switch_alone_configures_nothing(environment: dict[str, str]) -> None:
    assert configured(environment, LISTED) is None


def test_where_it_goes_is_what_the_environment_says_and_the_settings_allow() -> None:
    europe = "https://eu.api.smith.langchain.com"
    there = configured({**ON, "LANGSMITH_ENDPOINT": europe, "LANGSMITH_PROJECT": "p"}, LISTED)
    usual = configured(ON, LISTED)

    assert there is not None and usual is not None
    assert (there.endpoint, there.api_key, there.project) == (europe, "k", "p")
    with pytest.raises(Misconfigured, match="allowed_hosts"):
        configured({**ON, "LANGSMITH_ENDPOINT": "https://ls.example"}, LISTED)
    with pytest.raises(SystemExit):
        main(["false-alarm"], {**ON, "LANGSMITH_ENDPOINT": "https://ls.example"})
    assert (usual.endpoint, usual.project) == ("https://api.smith.langchain.com", "cloudops-evals")


def test_scores_arrive_where_it_is_configured() -> None:
    with langsmith_server() as server:
        environment = {**ON, "LANGSMITH_ENDPOINT": server.endpoint, "LANGSMITH_PROJECT": "nightly"}

        assert main(["bad-deployment", "--seeds", "2"], environment, rolled_back) == 0

    (project,) = server.posted("/sessions?upsert=True")
    first, second = server.posted("/runs")
    assert project["name"] == "nightly"
    assert (first["name"], first["session_id"]) == ("eval bad-deployment", project["id"])
    assert [one["inputs"]["seed"] for one in (first, second)] == [1, 2]
    assert (first["outputs"]["share"], first["outputs"]["first_look"]["share"]) == (1.0, 1.0)
    marks = [(one["run_id"], one["key"], one["score"]) for one in server.posted("/feedback")]
    assert marks[:3] == [(first["id"], key, 1.0) for key in ("score", "model", "first_look")]
    assert {one["run_id"] for one in server.posted("/feedback")[3:]} == {second["id"]}
    assert {one.api_key for one in server.arrived} == {"k"}


def test_scores_that_are_not_taken_are_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    with langsmith_server(status=401) as server:
        environment = {**ON, "LANGSMITH_ENDPOINT": server.endpoint}

        assert main(["bad-deployment"], environment, rolled_back) == 3
        assert main(["bad-deployment"], environment, lambda trial: rolled_back(trial, WRONG)) == 3

    assert "did not take the scores" in capsys.readouterr().out


# Each is a process of its own; the two that people fall into are always run.
@pytest.mark.parametrize(
    "environment",
    [
        one if "LANGSMITH_TRACING" not in one and one else pytest.param(one, marks=pytest.mark.slow)
        for one in NOT_CONFIGURED
    ],
)
def test_nothing_leaves_the_machine_where_it_is_not_configured(environment: dict[str, str]) -> None:
    with langsmith_server() as server:
        assert in_a_process(server, environment, "tests.evals.score_one") == 0

    assert server.connections == 0


def test_the_same_process_sends_its_scores_where_it_is_configured() -> None:
    with langsmith_server() as server:
        assert in_a_process(server, ON, "tests.evals.score_one") == 0

    assert [one["outputs"]["share"] for one in server.posted("/runs")] == [1.0]
    # LangChain's own traces come too then: the test above could have seen them.
    assert any(one.path.startswith("/runs/") for one in server.arrived)


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"LANGSMITH_API_KEY": "k"}, {"LANGCHAIN_TRACING_V2": "true"}])
def test_nothing_leaves_the_machine_over_a_whole_incident(environment: dict[str, str]) -> None:
    with langsmith_server() as server:
        assert in_a_process(server, environment, "evals", "bad-deployment") == 0

    assert server.connections == 0
