"""docs/scenarios.md says what the formats are, and a folder that follows it is played."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from evals import truth
from simulator.scenario import ScenarioError, read_scenario, scenario_names
from simulator.world import ApiCall
from simulator.world.field_tables import PAGE, RECORDS, placed, tables
from tests.simulator.scenarios.headless import START, Stage

TRUTH = (
    truth.Truth,
    truth.AlarmCourse,
    truth.TrueCause,
    truth.PathStep,
    truth.Actions,
    truth.AcceptableCall,
    truth.ForbiddenChange,
    truth.Harm,
    truth.EndState,
    truth.Message,
)


def blocks(language: str) -> list[str]:
    return [part.partition("```")[0] for part in PAGE.read_text().split(f"```{language}\n")[1:]]


def test_the_page_has_the_fields_of_the_records() -> None:
    page = PAGE.read_text()

    assert placed(page, "fields", tables(RECORDS)) == page, "run: python -m simulator.world.field_tables"
    assert placed(page, "truth", tables(TRUTH)) == page, tables(TRUTH)


def test_the_page_names_every_scenario() -> None:
    assert all(f"| `{name}` |" in PAGE.read_text() for name in scenario_names())


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "scenario.toml").write_text(text)
    return folder


def test_somebody_elses_folder_is_played_without_code(headless: Stage, tmp_path: Path) -> None:
    example, varied = blocks("toml")
    folder = written(tmp_path, "slow-search", f"{example}\n{varied}")

    played = headless.play("slow-search", seed=2, folder=folder)
    played.advance(12)

    assert scenario_names(folder) == ["slow-search"]
    latency = played.values("Storefront", "LatencyMs", {"Service": "inventory"}, START, "p50")
    assert 3.4 < latency[-1] / latency[0] < 4.6
    (call,) = [one for one in played.account.log.after(0) if one.operation == "PutParameter"]
    assert call.caller.username in ("mara", "jonas", "elif")
    assert call.at == START + timedelta(minutes=3)


def test_a_world_of_its_own_is_found_beside_the_scenarios(headless: Stage, tmp_path: Path) -> None:
    world = """
schema = 1
title = "Kiosk"
description = "One service."
cluster = "kiosk"
namespace = "Kiosk"
topology_parameter = "/kiosk/topology"
load_balancer = "app/kiosk/1"
deployer = { role = "kiosk-deployer", session = "run-1" }
traffic = { requests_per_minute = 60 }
releases = [{ image = "kiosk:1" }, { image = "kiosk:2", error_share = 0.5 }]
[[services]]
name = "till"
family = "till"
log_group = "/ecs/till"
owner = "kiosk"
slo = { availability = 0.99, latency_ms_p99 = 500 }
desired = 2
capacity_per_task = 100
entry_share = 1.0
base_latency_ms = 20
revisions = [{ image = "kiosk:1", registered = "-9d" }]
"""
    scenario = """
world = "kiosk"
title = "Half of it fails"
[[events]]
at = "+1m"
kind = "deploy"
service = "till"
image = "kiosk:2"
"""
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "kiosk.toml").write_text(world)

    played = headless.play("broken-till", folder=written(tmp_path, "broken-till", scenario))
    played.advance(8)

    errors = played.values("Kiosk", "Errors", {"Service": "till"}, START)
    assert sum(errors[:1]) <= 3
    assert sum(errors[-4:]) > 60
    value = played.call("ssm", "GetParameter", {"Name": "/kiosk/topology"})["Parameter"]["Value"]
    assert [one["name"] for one in json.loads(value)["services"]] == ["till"]


def test_a_seed_chooses_the_words() -> None:
    def session(seed: int) -> str:
        (event,) = read_scenario("wrong-parameter", seed=seed).events
        assert isinstance(event, ApiCall)
        return event.session

    assert session(0) == "mara"
    assert len({session(seed) for seed in range(12)}) > 1
    assert session(7) == session(7)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('title = "<<who>>"', "<<who>> has no list of words"),
        ('[[events]]\nat = "+1m"\nkind = "outage"\nexternal = "bank"\nerror_share = 1', "names 'bank'"),
        ('[[events]]\nat = "+1m"\nkind = "poison"\nqueue = "nowhere"\nbody = "x"', "names 'nowhere'"),
        (
            '[[events]]\nat = "+1m"\nkind = "call"\nservice = "ssm"\noperation = "Nonesuch"\n'
            'parameters = {}\nrole = "r"\nsession = "s"',
            "'Nonesuch', which ssm does not have",
        ),
        ('[[queues]]\nname = "q"\ndead_letter = "order-events-dead.fifo"', "not both FIFO"),
        ('[[parameters]]\nname = "p"\nvalue = "1"\nkind = "x"', "parameters.3.kind: Extra inputs"),
    ],
)
def test_a_contradiction_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    folder = written(tmp_path, "odd", f'schema = 1\nworld = "storefront"\n{text}')

    with pytest.raises(ScenarioError, match=why):
        read_scenario("odd", folder)
