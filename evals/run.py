"""Run scenarios through the whole path, score them, and say so: lines on the way, a table, a file, an exit code."""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from console.text import screen
from evals import from_truth, upload
from evals.at_once import judged_at_once
from evals.bench.machine import machine
from evals.drive import Outcome, Trial, play
from evals.figures import bars
from evals.limits import BROKEN, Deadline, within
from evals.options import THRESHOLD, TRIAL_SECONDS, options
from evals.page import replaced, results, summed_up
from evals.score import Score, not_played, score
from evals.table import table
from evals.truth import read_truth
from evals.variants import make_variant, renamed
from graphs.settings import outward_here
from simulator.scenario import SCENARIOS, scenario_names
from tools.errors import Misconfigured

PASSED, BELOW, NOT_UPLOADED, INTERRUPTED = 0, 1, 3, 130


@dataclass(frozen=True)
class Limits:
    """How long one trial may take, after how many minutes no further one begins, and how many play at once."""

    trial_seconds: float = TRIAL_SECONDS
    minutes: float | None = None
    jobs: int = 1


@dataclass(frozen=True)
class Targets:
    """Where results go beside the terminal: a file, a page that names these scenarios, LangSmith."""

    json: Path | None = None
    page: Path | None = None
    scenarios: tuple[str, ...] = ()
    langsmith: upload.LangSmith | None = None


NOWHERE, USUAL = Targets(), Limits()


def run(
    trials: Sequence[Trial],
    targets: Targets = NOWHERE,
    threshold: float = THRESHOLD,
    player: Callable[[Trial], Outcome] = play,
    limits: Limits = USUAL,
    *,
    by_bars: bool = False,
) -> int:
    """Play and score trials; end with 0 when each reaches the threshold, and with `by_bars` when every bar is."""
    console = screen()
    if targets.langsmith is None:
        upload.keep_on_this_machine()
    scored: dict[int, Score] = {}
    here = machine()

    def finished(number: int, one: Score) -> None:
        scored[number] = one
        console.print(_told(one), soft_wrap=True)
        _write_json(summarise(_in_order(scored), threshold, trials), targets)

    try:
        _play_all(trials, player, limits, console, finished)
    except KeyboardInterrupt:
        console.print(table(_in_order(scored)))
        kept = f"{targets.json} holds them" if targets.json else "nothing was written"
        console.print(f"interrupted after {len(scored)} of {len(trials)} trials; {kept}", style="red")
        return INTERRUPTED
    scores = _in_order(scored)
    console.print(table(scores))
    summary = summarise(scores, threshold, trials)
    console.print(_verdict(summary))
    console.print(summed_up(sorted({one.scenario for one in trials}), scores))
    missed = [one for one in bars(scores) if not one.reached] if by_bars else []
    for one in missed:
        console.print(f"{one.name}: {one.whole}, wanted {one.wanted}", style="red")
    _write_json(summary, targets)
    _write_page(scores, targets, trials, here)
    if targets.langsmith is not None:
        try:
            upload.send(summary, targets.langsmith)
        except upload.NotUploaded as error:
            console.print(str(error), style="red")
            return NOT_UPLOADED
        console.print(f"scores sent to LangSmith, project {targets.langsmith.project}")
    passed = summary["passed"] and not missed
    return PASSED if passed and len(scores) == len(trials) else BELOW


def _in_order(scored: Mapping[int, Score]) -> list[Score]:
    return [scored[number] for number in sorted(scored)]


def _play_all(
    trials: Sequence[Trial],
    player: Callable[[Trial], Outcome],
    limits: Limits,
    console: Console,
    finished: Callable[[int, Score], None],
) -> None:
    """Play trials in order, or several at once, each in a process of its own."""
    deadline = Deadline(limits.minutes)

    def begins(number: int, trial: Trial) -> bool:
        if deadline.passed:
            console.print(
                f"{limits.minutes:g} minutes are over: {len(trials) - number} trials are not played"
            )
            return False
        how = ", renamed" if trial.renamed else ""
        console.print(f"[{number + 1}/{len(trials)}] playing {trial.scenario}, seed {trial.seed}{how}")
        return True

    judge = partial(judged, player=player, seconds=limits.trial_seconds)
    if min(limits.jobs, len(trials)) > 1:
        for number, one in judged_at_once(trials, judge, limits.jobs, begins):
            finished(number, one)
        return
    for number, trial in enumerate(trials):
        if not begins(number, trial):
            return
        finished(number, judge(trial))


def judged(trial: Trial, player: Callable[[Trial], Outcome], seconds: float) -> Score:
    """Play and score one trial; one that breaks off, or takes too long, takes none of the others along."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cloudops-variant-") as folder:
        staged = _staged(trial, Path(folder))
        truth = read_truth(staged.scenario, staged.scenarios, staged.seed)
        try:
            with within(seconds):
                outcome = player(staged)
            return score(outcome, truth)
        except BROKEN as error:
            return not_played(trial, str(error), time.monotonic() - began)


def _staged(trial: Trial, folder: Path) -> Trial:
    """Return a trial as it is played: a renamed one from a folder that holds its variant."""
    if not trial.renamed:
        return trial
    origin = trial.scenarios or SCENARIOS
    return replace(trial, scenarios=make_variant(trial.scenario, folder, renamed(trial.seed), origin=origin))


def _write_json(summary: dict[str, Any], targets: Targets) -> None:
    """Write all that was scored until now, whole or not at all: a run that is killed leaves what was finished."""
    if targets.json is not None:
        targets.json.parent.mkdir(parents=True, exist_ok=True)
        beside = targets.json.with_name(f".{targets.json.name}.new")
        beside.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        beside.replace(targets.json)


def _write_page(
    scores: Sequence[Score], targets: Targets, trials: Sequence[Trial], here: Mapping[str, str]
) -> None:
    if targets.page is not None:
        text = results(targets.scenarios, scores, here, datetime.now(UTC).date(), trials)
        page = targets.page.read_text(encoding="utf-8")
        targets.page.write_text(replaced(page, text), encoding="utf-8")


def _told(one: Score) -> str:
    said = one.said or "nothing claimed"
    missed = ", ".join(name.replace("_", " ") for name, right in one.marks.items() if not right)
    marked = f"; missed: {missed}" if missed and one.played else ""
    return f"      {one.share:.2f} in {one.seconds:.0f} s: {one.status}, {said}{marked}"


def _verdict(summary: dict[str, Any]) -> str:
    reached = "reached by all" if summary["passed"] else "not reached by all"
    return (
        f"mean {summary['mean']:.2f}; of the assessment alone: {summary['answer_mean']:.2f} with models, "
        f"{summary['first_look_mean']:.2f} by the first look; threshold {summary['threshold']:g} {reached}"
    )


def summarise(scores: Sequence[Score], threshold: float, trials: Sequence[Trial] = ()) -> dict[str, Any]:
    """Return all results as plain JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "threshold": threshold,
        "passed": bool(scores) and all(one.share >= threshold for one in scores),
        "mean": _mean([one.share for one in scores]),
        "answer_mean": _mean([one.answer.share for one in scores]),
        "first_look_mean": _mean([one.first_look.share for one in scores]),
        "renamed": any(one.renamed for one in trials),
        "models": sorted({model for one in scores for model in one.models}),
        "scores": [one.as_json() for one in scores],
    }


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0


def main(
    arguments: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    player: Callable[[Trial], Outcome] = play,
) -> int:
    """Read the options of `cloudops eval` and run."""
    parser = options()
    asked = parser.parse_args(arguments)
    if (asked.careless or asked.both) and not asked.plan_from_truth:
        parser.error("--careless and --both go with --plan-from-truth")
    if asked.renamed and asked.plan_from_truth:
        parser.error("--renamed plays the whole path, and does not go with --plan-from-truth")
    known = scenario_names(asked.scenarios)
    unknown = sorted(set(asked.scenario) - set(known))
    if unknown or not known:
        where = f" in {asked.scenarios}" if asked.scenarios else ""
        missing = f"no scenario {', '.join(unknown)}" if unknown else "no scenarios"
        parser.error(f"{missing}{where}; there are: {', '.join(known) or 'none'}")
    if asked.plan_from_truth:
        return from_truth.play_all(_given(asked, known, parser))
    if asked.page is not None and not _is_page(asked.page):
        parser.error(f"{asked.page} is no page to write the results into: copy docs/evaluation.md there")
    # Seed by seed: a run that ends early has played something of everything.
    trials = [
        Trial(name, asked.scenarios, seed, not asked.deny, renamed=asked.renamed)
        for seed in range(asked.seed, asked.seed + asked.seeds)
        for name in asked.scenario or known
    ]
    try:
        langsmith = upload.configured(os.environ if environment is None else environment, outward_here())
    except Misconfigured as error:
        parser.error(str(error))
    targets = Targets(asked.json, asked.page, tuple(known), langsmith)
    # Only the real player is found by another process; a test's own plays here.
    jobs = asked.jobs if player is play else 1
    limits = Limits(asked.trial_seconds, asked.minutes, jobs)
    return run(trials, targets, asked.threshold, player, limits, by_bars=asked.bars)


def _given(
    asked: argparse.Namespace, known: Sequence[str], parser: argparse.ArgumentParser
) -> from_truth.Asked:
    """Return which given plans are to be played; a page takes both kinds, so that no half of it is of old."""
    if asked.page is not None and (asked.scenario or not asked.both):
        parser.error(
            "the page of given plans is written of all scenarios: --plan-from-truth --both --page FILE"
        )
    if asked.page is not None and not from_truth.is_page(asked.page):
        parser.error(f"{asked.page} is no page for them: copy docs/remediation-evaluation.md there")
    careless = None if asked.both else bool(asked.careless)
    return from_truth.Asked(asked.scenario or sorted(known), careless, asked.seed, asked.jobs, asked.page)


def _is_page(path: Path) -> bool:
    """Say whether results could be written into a page, before anything is played."""
    try:
        replaced(path.read_text(encoding="utf-8"), "")
    except (OSError, ValueError):
        return False
    return True
