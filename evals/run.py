"""Run scenarios through the whole path, score them, and say so: lines on the way, a table, a file, an exit code."""

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from console.text import screen
from evals import upload
from evals.drive import Outcome, Trial, play
from evals.score import Score, not_played, score
from evals.table import table
from evals.truth import read_truth
from graphs.settings import outward_here
from simulator.scenario import scenario_names
from tools.errors import CopilotError, Misconfigured

THRESHOLD = 1.0
PASSED, BELOW, NOT_UPLOADED = 0, 1, 3
# What ends one trial and not the others: ours, and what AWS's clients or the account itself may raise.
BROKEN = (CopilotError, ClientError, BotoCoreError, httpx.HTTPError)
CODES = (
    "It ends with 0 when every scenario reaches the threshold, with 1 when one does not, with 2 when it was asked "
    "wrongly, and with 3 when LangSmith is configured and did not take the scores. LangSmith is configured by "
    "LANGSMITH_TRACING=true and LANGSMITH_API_KEY together; without both nothing leaves this machine."
)


def run(
    trials: Sequence[Trial],
    out_json: Path | None = None,
    threshold: float = THRESHOLD,
    console: Console | None = None,
    player: Callable[[Trial], Outcome] = play,
    langsmith: upload.LangSmith | None = None,
) -> int:
    """Play and score trials one after the other; end with 0 when each reaches the threshold."""
    console = console or screen()
    if langsmith is None:
        upload.keep_on_this_machine()
    scores = []
    for number, trial in enumerate(trials, 1):
        console.print(f"[{number}/{len(trials)}] playing {trial.scenario}, seed {trial.seed}")
        scores.append(_judged(trial, player))
        console.print(_told(scores[-1]))
    console.print(table(scores))
    summary = summarise(scores, threshold)
    console.print(_verdict(summary))
    if out_json is not None:
        out_json.parent.mkdir(parents=True, exist_ok=True)
        out_json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if langsmith is not None:
        try:
            upload.send(summary, langsmith)
        except upload.NotUploaded as error:
            console.print(str(error), style="red")
            return NOT_UPLOADED
        console.print(f"scores sent to LangSmith, project {langsmith.project}")
    return PASSED if summary["passed"] else BELOW


def _judged(trial: Trial, player: Callable[[Trial], Outcome]) -> Score:
    """Play and score one trial; one that breaks off takes none of the others along."""
    truth, began = read_truth(trial.scenario, trial.scenarios), time.monotonic()
    try:
        return score(player(trial), truth)
    except BROKEN as error:
        return not_played(trial, str(error), time.monotonic() - began)


def _told(one: Score) -> str:
    said = one.said or "nothing claimed"
    return f"      {one.share:.2f} in {one.seconds:.0f} s: {one.status}, {said}"


def _verdict(summary: dict[str, Any]) -> str:
    reached = "reached by all" if summary["passed"] else "not reached by all"
    return (
        f"mean {summary['mean']:.2f}; of the assessment alone: {summary['answer_mean']:.2f} with models, "
        f"{summary['first_look_mean']:.2f} by the first look; threshold {summary['threshold']:g} {reached}"
    )


def summarise(scores: Sequence[Score], threshold: float) -> dict[str, Any]:
    """Return all results as plain JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "threshold": threshold,
        "passed": bool(scores) and all(one.share >= threshold for one in scores),
        "mean": _mean([one.share for one in scores]),
        "answer_mean": _mean([one.answer.share for one in scores]),
        "first_look_mean": _mean([one.first_look.share for one in scores]),
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
    parser = _parser()
    asked = parser.parse_args(arguments)
    known = scenario_names(asked.scenarios)
    unknown = sorted(set(asked.scenario) - set(known))
    if unknown or not known:
        parser.error(f"no scenario {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    trials = [
        Trial(name, asked.scenarios, seed, not asked.deny)
        for name in asked.scenario or known
        for seed in range(asked.seed, asked.seed + asked.seeds)
    ]
    try:
        langsmith = upload.configured(os.environ if environment is None else environment, outward_here())
    except Misconfigured as error:
        parser.error(str(error))
    return run(trials, asked.json, asked.threshold, player=player, langsmith=langsmith)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloudops eval", description="Score scenarios on the whole path.", epilog=CODES
    )
    parser.add_argument("scenario", nargs="*", help="which scenarios; all without")
    parser.add_argument("--scenarios", type=Path, help="another folder of scenarios, each with its truth")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of the account's noise")
    parser.add_argument("--seeds", type=_some, default=1, help="how many seeds of each scenario")
    parser.add_argument("--deny", action="store_true", help="deny every plan instead of approving it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument(
        "--threshold", type=_share, default=THRESHOLD, help="the score that each scenario must reach, 0 to 1"
    )
    return parser


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return share
