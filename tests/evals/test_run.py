"""What a run shows, writes and ends with."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evals.drive import Outcome, Trial
from evals.page import BEGIN, END
from evals.run import main, run
from evals.score import Score, score
from evals.table import table
from evals.truth import read_truth
from evals.variants import make_variant, renamed
from memory.records.assessment import Hypothesis
from simulator.scenario import read_scenario, scenario_names
from tests.evals.outcomes import RIGHT, WRONG, record, rolled_back
from tools.errors import Transient

ROOT = Path(__file__).resolve().parents[2]


def scored(outcome: Outcome) -> Score:
    return score(outcome, read_truth(outcome.trial.scenario))


def shown(scores: list[Score], width: int = 100) -> list[str]:
    screen = Console(file=StringIO(), width=width)
    screen.print(table(scores))
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue().splitlines()


@pytest.mark.parametrize(("leading", "code"), [(RIGHT, 0), (WRONG, 1)])
def test_a_run_writes_its_results_and_ends_by_the_threshold(
    leading: Hypothesis, code: int, tmp_path: Path
) -> None:
    file = tmp_path / "results" / "scores.json"
    asked = ["bad-deployment", "--seed", "5", "--json", str(file)]

    assert main(asked, {}, lambda trial: rolled_back(trial, leading)) == code

    written = json.loads(file.read_text())
    assert written["passed"] is (code == 0)
    assert (written["scores"][0]["scenario"], written["scores"][0]["seed"]) == ("bad-deployment", 5)


def test_a_lower_threshold_lets_more_pass() -> None:
    def player(trial: Trial) -> Outcome:
        return rolled_back(trial, WRONG)

    assert main(["bad-deployment", "--threshold", "0.8"], {}, player) == 0
    assert main(["bad-deployment", "--threshold", "0.9"], {}, player) == 1


def test_all_scenarios_and_seeds_are_played_and_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    def player(trial: Trial) -> Outcome:
        told.append(capsys.readouterr().out)
        return Outcome(trial, None, (), {}, 12.4)

    assert main(["false-alarm", "hidden-cause", "--seed", "7", "--seeds", "2"], {}, player) == 1

    assert [one.splitlines()[-1] for one in told] == [
        "[1/4] playing false-alarm, seed 7",
        "[2/4] playing hidden-cause, seed 7",
        "[3/4] playing false-alarm, seed 8",
        "[4/4] playing hidden-cause, seed 8",
    ]
    first = told[1].splitlines()[0].strip()
    assert first.startswith(
        "0.10 in 12 s: no incident, nothing claimed; missed: verdict, severity, cause service"
    )


def test_a_trial_that_breaks_off_scores_nothing_and_takes_no_other_along(tmp_path: Path) -> None:
    def player(trial: Trial) -> Outcome:
        if trial.seed == 1:
            raise Transient("the account went away")
        return rolled_back(trial)

    file = tmp_path / "scores.json"

    assert main(["bad-deployment", "--seeds", "2", "--json", str(file)], {}, player) == 1

    first, second = json.loads(file.read_text())["scores"]
    assert (first["share"], first["status"], first["said"]) == (0.0, "not played", "the account went away")
    assert second["share"] == 1.0


def test_a_renamed_scenario_is_played_and_judged_under_the_names_of_its_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {one.name for one in read_scenario("bad-deployment").services}
    played: list[tuple[set[str], str]] = []

    def player(trial: Trial) -> Outcome:
        truth = read_truth(trial.scenario, trial.scenarios, trial.seed)
        assert truth.cause is not None
        world = read_scenario(trial.scenario, trial.scenarios, trial.seed)
        played.append(({one.name for one in world.services}, truth.cause.component))
        return rolled_back(trial)

    file = tmp_path / "scores.json"
    page = tmp_path / "evaluation.md"
    page.write_text(f"{BEGIN}\n{END}")
    targets = ["--json", str(file), "--page", str(page)]

    assert main(["bad-deployment", "--renamed", "--seed", "4", "--seeds", "2", *targets], {}, player) == 1

    (first, first_cause), (second, second_cause) = played
    assert (first_cause in first, second_cause in second) == (True, True)
    assert not first & known
    assert not second & known
    assert first != second
    scores = json.loads(file.read_text())
    assert scores["renamed"] is True
    # What the player brings back is the cause under the old names, which is not this one's.
    assert [one["seed"] for one in scores["scores"]] == [4, 5]
    assert [one["answer"]["cause_service"] for one in scores["scores"]] == [False, False]
    assert "seeds 4, 5, renamed by each" in page.read_text()
    assert "playing bad-deployment, seed 4, renamed" in capsys.readouterr().out


def test_a_scenario_of_another_folder_can_be_renamed_too(tmp_path: Path) -> None:
    folder = make_variant("false-alarm", tmp_path / "own", renamed(9))
    own = {one.name for one in read_scenario("false-alarm", folder).services}
    played: list[set[str]] = []

    def player(trial: Trial) -> Outcome:
        played.append(
            {one.name for one in read_scenario(trial.scenario, trial.scenarios, trial.seed).services}
        )
        return Outcome(trial, None, (), {}, 1.0)

    main(["false-alarm", "--scenarios", str(folder), "--renamed"], {}, player)

    assert len(played) == 1
    assert len(played[0]) == len(own)
    assert not played[0] & own


@pytest.mark.parametrize(
    "asked",
    [
        ["no-such"],
        ["--renamed", "--plan-from-truth"],
        ["--seeds", "0"],
        ["--threshold", "1.1"],
        ["--threshold", "nan"],
        ["--scenarios", "/nowhere"],
        ["--page", "/nowhere/evaluation.md"],
        ["--trial-seconds", "0"],
        ["--minutes", "soon"],
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def player(trial: Trial) -> Outcome:
        raise AssertionError(trial)

    with pytest.raises(SystemExit) as ended:
        main(asked, {}, player)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_first_look_alone_stands_beside_the_models() -> None:
    mixed = record(WRONG).model_copy(update={"first_look": record().first_look})
    outcome = rolled_back(Trial("bad-deployment"))
    one = scored(Outcome(outcome.trial, mixed, outcome.calls, outcome.alarms, 1.0, outcome.started))

    lines = shown([one])

    assert lines[0].strip() == "scores with local.rules-v1:0"
    assert lines[2].split()[:6] == ["scenario", "seed", "score", "model", "1st", "look"]
    assert all(len(line.rstrip()) <= 100 and "…" not in line for line in lines)
    assert lines[4].split()[2:5] == ["0.80", "0.60", "1.00"]


def test_no_share_of_a_model_is_shown_where_none_answered() -> None:
    made = record()
    assert made.assessment is not None
    alone = made.model_copy(update={"assessment": made.assessment.model_copy(update={"by_model": False})})
    outcome = rolled_back(Trial("bad-deployment"))

    lines = shown(
        [scored(Outcome(outcome.trial, alone, outcome.calls, outcome.alarms, 1.0, outcome.started))]
    )

    assert lines[4].split()[2:5] == ["1.00", "-", "1.00"]


def test_the_last_line_says_both_means_and_the_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    run([Trial("bad-deployment")], player=rolled_back)

    last = " ".join(capsys.readouterr().out.splitlines()[-3:])
    assert "mean 1.00" in last
    assert "1.00 with models, 1.00 by the first look; threshold 1 reached by all" in last
    assert "1 of 1 scenarios are right in all seeds today, 0 in some." in last


def command(*asked: str) -> "subprocess.CompletedProcess[str]":
    kept: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "cwd": ROOT}
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-c", "from cli import app; app()", "eval", *asked],
        env=environment,
        check=False,
        **kept,
    )


def test_the_command_explains_its_options_and_its_exit_codes() -> None:
    said = command("--help")

    assert said.returncode == 0
    for word in (
        "--scenarios",
        "--seeds",
        "--renamed",
        "--deny",
        "--json FILE",
        "--page FILE",
        "--trial-seconds",
        "--minutes",
        "--threshold",
        "ends with 0",
        "LANGSMITH",
    ):
        assert word in said.stdout


def test_the_command_ends_with_2_when_it_was_asked_wrongly() -> None:
    said = command("no-such")

    assert said.returncode == 2
    assert f"there are: {', '.join(scenario_names())}" in said.stderr
