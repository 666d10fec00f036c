"""Commands that run no graph load no model library, and say what they have to say."""

import json
import subprocess
import sys

import pytest

from memory.records.incident_record import IncidentRecord
from tests.console.commands import ROOT, Desk
from tests.console.conftest import PlayedIncident

HEAVY = ("langchain", "langchain_core", "langchain_aws", "langgraph", "langsmith", "langgraph_sdk")
PROBE = """
import json, sys
import cli
try:
    cli.main()
except SystemExit as end:
    code = end.code
print(file=sys.stderr)
sys.stderr.write(json.dumps({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def probe(desk: Desk, *arguments: str) -> tuple[int, set[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = json.loads(done.stderr.splitlines()[-1])
    return told["code"], set(told["modules"]), done.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("scenarios",), ("demo", "--help"), ("sim", "--help")])
def test_help_and_scenarios_load_no_model_library_and_no_client(
    desk: Desk, arguments: tuple[str, ...]
) -> None:
    code, modules, said = probe(desk, *arguments)
    assert code == 0
    assert said
    assert not modules & {*HEAVY, "botocore", "boto3", "httpx"}


@pytest.mark.parametrize("arguments", [("show",), ("show", "--json"), ("list",)])
def test_looking_at_an_incident_loads_no_model_library(
    played: PlayedIncident, arguments: tuple[str, ...]
) -> None:
    command = (*arguments, played.incident_id) if arguments[0] == "show" else arguments
    code, modules, said = probe(played.desk, *command)
    assert code == 0
    assert "checkout-5xx" in said
    assert not modules & {*HEAVY, "boto3"}


@pytest.mark.parametrize("asked", ["show", "verify"])
def test_looking_at_an_audit_loads_no_model_library(played: PlayedIncident, asked: str) -> None:
    code, modules, said = probe(played.desk, "audit", asked, played.incident_id)
    assert code == 0 and said
    assert not modules & {*HEAVY, "boto3"}


@pytest.mark.parametrize("said", [("approve", "--plan", "0123456789ab"), ("deny", "--reason", "too late")])
def test_a_decision_that_is_refused_loads_no_graph(played: PlayedIncident, said: tuple[str, ...]) -> None:
    verb, *options = said
    code, modules, _ = probe(played.desk, verb, played.incident_id, *options)
    assert code == 1
    assert not modules & {*HEAVY, "boto3", "cedarpy"}


def test_show_takes_the_beginning_of_an_id_and_prints_exactly_the_record(played: PlayedIncident) -> None:
    done = played.desk.run("show", played.incident_id[:6], "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    shown = IncidentRecord.model_validate_json(done.stdout)
    assert shown.model_dump(mode="json") == played.record


def test_an_unknown_id_is_told_in_one_line(played: PlayedIncident) -> None:
    done = played.desk.run("show", "zzz")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no incident id starts with 'zzz'\n"


def test_without_an_account_the_remedy_is_said_and_the_code_is_two(desk: Desk) -> None:
    for command in (["show", "1"], ["list"], ["tick"], ["doctor"], ["token"], ["sim", "clock"]):
        done = desk.run(*command)
        assert done.returncode == 2, command
        assert "cloudops sim up" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_no_colour_leaves_a_terminal(played: PlayedIncident) -> None:
    for command in (["scenarios"], ["show", played.incident_id], ["list"], ["doctor"], ["--help"]):
        assert "\x1b" not in played.desk.run(*command).stdout


def test_scenarios_names_the_four_that_come_with_it(desk: Desk) -> None:
    said = desk.run("scenarios").stdout
    for folder in (ROOT / "simulator" / "scenarios").iterdir():
        if (folder / "scenario.toml").is_file():
            assert folder.name in said


def test_evidence_is_shown_as_it_was_stored_and_its_incident_is_found(played: PlayedIncident) -> None:
    evidence_id = played.record["evidence"][0]["evidence_id"]
    done = played.desk.run("evidence", "show", evidence_id, "--json")
    shown = json.loads(done.stdout)
    assert shown["evidence_id"] == evidence_id
    assert shown["incident_id"] == played.incident_id
    named = played.desk.run("evidence", "show", evidence_id, "--incident", played.incident_id[:6])
    assert shown["result_sha256"] in named.stdout
    assert shown["operation"] in named.stdout
    missing = played.desk.run("evidence", "show", "ev-none", "--incident", played.incident_id)
    assert missing.returncode == 1
    assert evidence_id in missing.stderr
    assert "newest" in played.desk.run("evidence", "show", "ev-none").stderr
    assert "evidence list" in played.desk.run("evidence", "show", "checkout").stderr


def test_an_incidents_evidence_is_listed_with_its_cost(played: PlayedIncident) -> None:
    known = {ref["evidence_id"] for ref in played.record["evidence"]}
    listed = json.loads(played.desk.run("evidence", "list", played.incident_id, "--json").stdout)
    assert {one["evidence_id"] for one in listed} == known
    said = played.desk.run("evidence", "list", played.incident_id).stdout
    assert f"{len(known)} observations" in said
    # What is asked again and answered the same is one observation, and is paid for each time.
    assert 0 < sum(one["bytes_scanned"] for one in listed) <= played.record["spend"]["bytes_scanned"]


def test_a_log_query_asked_again_gives_the_same_digest_and_a_state_of_now_may_differ(
    played: PlayedIncident,
) -> None:
    listed = json.loads(played.desk.run("evidence", "list", played.incident_id, "--json").stdout)
    query = next(one for one in listed if one["operation"] == "StartQuery")
    done = played.desk.run("evidence", "replay", query["evidence_id"], "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["outcome"]) == (0, "same")
    assert told["now_sha256"] == told["stored_sha256"] == query["result_sha256"]
    assert told["bytes_scanned"] == query["bytes_scanned"]

    service = next(one for one in listed if one["operation"] == "DescribeServices")
    changed = played.desk.run("evidence", "replay", service["evidence_id"])
    assert changed.returncode in {0, 1}
    assert "stored" in changed.stdout
