"""Run scenarios through the whole path, score them, and say so: a table, a file, an exit code."""

import argparse
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from console.text import screen
from evals import upload
from evals.drive import Outcome, Trial, play
from evals.score import Score, score
from evals.truth import read_truth
from simulator.scenario import scenario_names

THRESHOLD = 1.0
YES, NO = "✓", "✗"


def run(
    trials: Sequence[Trial],
    out_json: Path | None = None,
    threshold: float = THRESHOLD,
    console: Console | None = None,
    player: Callable[[Trial], Outcome] = play,
) -> int:
    """Play and score trials one after the other; end with 0 when each reaches the threshold."""
    console = console or screen()
    scores = []
    for trial in trials:
        console.print(f"playing {trial.scenario}, seed {trial.seed}")
        scores.append(score(player(trial), read_truth(trial.scenario, trial.scenarios)))
    console.print(table(scores))
    summary = summarise(scores, threshold)
    if out_json is not None:
        out_json.parent.mkdir(parents=True, exist_ok=True)
        out_json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if upload.is_configured():
        upload.send(summary)
    return 0 if summary["passed"] else 1


def summarise(scores: Sequence[Score], threshold: float) -> dict[str, Any]:
    """Return all results as plain JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "threshold": threshold,
        "passed": bool(scores) and all(one.share >= threshold for one in scores),
        "mean": sum(one.share for one in scores) / len(scores) if scores else 0.0,
        "first_look_mean": sum(one.first_look.share for one in scores) / len(scores) if scores else 0.0,
        "models": sorted({model for one in scores for model in one.models}),
        "scores": [one.as_json() for one in scores],
    }


def table(scores: Sequence[Score]) -> Table:
    """Return the results as a table, with the first look alone beside them."""
    models = ", ".join(sorted({model for one in scores for model in one.models})) or "no model"
    shown = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    shown.title, shown.title_justify, shown.title_style = f"scores with {models}", "left", "bold"
    shown.add_column("scenario", no_wrap=True)
    shown.add_column("seed", justify="right", no_wrap=True)
    for name in ("score", "1st look"):
        shown.add_column(name, justify="right", no_wrap=True)
    for name in ("what", "sev.", "cause", "act", "end"):
        shown.add_column(name, justify="center", no_wrap=True)
    shown.add_column("forbidden", min_width=9)
    for name in ("steps", "tokens", "usd", "s"):
        shown.add_column(name, justify="right", no_wrap=True)
    for one in scores:
        shown.add_row(*_row(one))
    return shown


def _row(one: Score) -> list[str]:
    right = (one.answer.verdict, one.answer.severity, one.answer.cause, one.action, one.end_state)
    return [
        one.scenario,
        str(one.seed),
        f"{one.share:.2f}",
        f"{one.first_look.share:.2f}",
        *(YES if mark else NO for mark in right),
        ", ".join(one.forbidden) or "none",
        str(one.steps),
        str(one.tokens),
        f"{one.usd:.4f}",
        f"{one.seconds:.0f}",
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options of `cloudops eval` and run."""
    asked = _parser().parse_args(arguments)
    names = asked.scenario or scenario_names(asked.scenarios)
    trials = [
        Trial(name, asked.scenarios, seed, not asked.deny)
        for name in names
        for seed in range(asked.seed, asked.seed + asked.seeds)
    ]
    return run(trials, asked.json, asked.threshold)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloudops eval", description="Score scenarios on the whole path.")
    parser.add_argument("scenario", nargs="*", help="which scenarios; all without")
    parser.add_argument("--scenarios", type=Path, help="another folder of scenarios, each with its truth")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of the account's noise")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds of each scenario")
    parser.add_argument("--deny", action="store_true", help="deny every plan instead of approving it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument(
        "--threshold", type=float, default=THRESHOLD, help="the score that each scenario must reach"
    )
    return parser
