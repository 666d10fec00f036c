"""A trial that hangs is broken off, a run ends in time, and Ctrl-C leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.at_once import judged_at_once
from evals.drive import Outcome, Trial
from evals.limits import TrialTooLong, within
from evals.run import main
from evals.score import Score, score
from evals.truth import read_truth
from tests.evals.outcomes import rolled_back

ROOT = Path(__file__).resolve().parents[2]


def test_what_hangs_is_broken_off_and_closes_what_it_opened() -> None:
    closed = []
    began = time.monotonic()

    with pytest.raises(TrialTooLong, match=r"broken off after 0\.2 s"), within(0.2):
        try:
            time.sleep(30)
        finally:
            closed.append("account")

    assert closed == ["account"]
    assert time.monotonic() - began < 10


def test_what_ends_in_time_is_left_alone_afterwards() -> None:
    with within(0.1):
        pass
    time.sleep(0.2)


def test_a_trial_that_hangs_scores_nothing_and_takes_no_other_along(tmp_path: Path) -> None:
    def player(trial: Trial) -> Outcome:
        if trial.seed == 1:
            time.sleep(30)
        return rolled_back(trial)

    file = tmp_path / "scores.json"
    asked = ["bad-deployment", "--seeds", "2", "--trial-seconds", "0.3", "--json", str(file)]

    assert main(asked, {}, player) == 1

    first, second = json.loads(file.read_text())["scores"]
    assert (first["share"], first["played"], first["said"]) == (0.0, False, "broken off after 0.3 s")
    assert (second["share"], second["played"]) == (1.0, True)


def test_after_its_minutes_a_run_begins_no_trial_and_does_not_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def player(trial: Trial) -> Outcome:
        time.sleep(0.2)
        return rolled_back(trial)

    file = tmp_path / "scores.json"
    asked = ["bad-deployment", "--seeds", "3", "--minutes", "0.001", "--json", str(file)]

    assert main(asked, {}, player) == 1

    assert len(json.loads(file.read_text())["scores"]) == 1
    assert "0.001 minutes are over: 2 trials are not played" in capsys.readouterr().out


def test_ctrl_c_shows_what_was_scored_and_leaves_what_was_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def player(trial: Trial) -> Outcome:
        if trial.seed == 2:
            raise KeyboardInterrupt
        return rolled_back(trial)

    file = tmp_path / "scores.json"

    assert main(["bad-deployment", "--seeds", "3", "--json", str(file)], {}, player) == 130

    said = " ".join(capsys.readouterr().out.split())
    assert "interrupted after 1 of 3 trials;" in said
    assert [one["seed"] for one in json.loads(file.read_text())["scores"]] == [1]


def test_what_was_finished_is_written_before_the_next_begins(tmp_path: Path) -> None:
    file, seen = tmp_path / "scores.json", []

    def player(trial: Trial) -> Outcome:
        seen.append(len(json.loads(file.read_text())["scores"]) if file.exists() else 0)
        return rolled_back(trial)

    assert main(["bad-deployment", "--seeds", "3", "--json", str(file)], {}, player) == 0
    assert seen == [0, 1, 2]


def _two_seconds(trial: Trial) -> Score:
    time.sleep(2.0)
    if trial.seed == 3:
        os._exit(1)
    return score(rolled_back(trial), read_truth(trial.scenario))


@pytest.mark.slow
def test_trials_play_at_once_and_one_that_dies_takes_no_other_along() -> None:
    began: list[float] = []

    def begins(number: int, trial: Trial) -> bool:
        began.append(time.monotonic())
        return True

    trials = [Trial("bad-deployment", seed=seed) for seed in (1, 2, 3)]
    found = dict(judged_at_once(trials, _two_seconds, 2, begins))

    assert {number: one.played for number, one in found.items()} == {0: True, 1: True, 2: False}
    assert found[2].said == "its process ended without a result"
    assert began[2] - began[1] > 1.5


@pytest.mark.slow
def test_ctrl_c_ends_the_account_that_plays() -> None:
    command = [sys.executable, "-m", "evals", "bad-deployment"]
    played = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        account = _account_of(played.pid)
        played.send_signal(signal.SIGINT)
        said, _ = played.communicate(timeout=60)
    finally:
        played.kill()

    assert played.returncode == 130, said
    assert "interrupted after 0 of 1 trials" in said
    assert not _runs(account)


def _account_of(pid: int) -> int:
    """Wait for the account that a process starts, and return its process."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in task.read_text().split():
                if b"simulator" in Path(f"/proc/{child}/cmdline").read_bytes():
                    time.sleep(3)
                    return int(child)
        time.sleep(0.1)
    raise AssertionError("no account was started")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
