"""Run benchmarks and write what they measured: on the page, on the terminal, and as JSON."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.text import screen
from evals.bench import light_commands
from evals.bench.machine import machine
from evals.bench.page import replaced, table
from evals.bench.race import CommandFailedError, Timed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
ROUNDS = 15


@dataclass(frozen=True)
class Benchmark:
    """What is measured, the rows it has, and the peer that ratios are taken to."""

    measure: Callable[[int], tuple[Timed, ...]]
    rows: tuple[str, ...]
    peer: str


BENCHMARKS: Mapping[str, Benchmark] = {
    light_commands.NAME: Benchmark(light_commands.bench, light_commands.ROWS, light_commands.PEER),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; return 1 when a command that was to be timed failed."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if not asked.page.is_file():
        parser.error(f"{asked.page} is no page to write the tables into: copy {PAGE.name} there")
    out, now, here = screen(), datetime.now(UTC), machine()
    measured: dict[str, Any] = {}
    for name in asked.which or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        out.print(f"{name}: {asked.rounds} rounds of {len(benchmark.rows)} commands")
        try:
            timed = benchmark.measure(asked.rounds)
        except CommandFailedError as error:
            screen(err=True).print(str(error))
            return 1
        text = table(timed, benchmark.peer, here, now.date())
        out.print(text)
        measured[name] = {one.contender.name: [asdict(run) for run in one.runs] for one in timed}
        page = asked.page.read_text(encoding="utf-8")
        asked.page.write_text(replaced(page, name, text), encoding="utf-8")
    if asked.json is not None:
        told = {"at": now.isoformat(timespec="seconds"), "machine": here, "benchmarks": measured}
        asked.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evals.bench", description="Time whole commands beside a named peer in the same run."
    )
    parser.add_argument(
        "which", nargs="*", type=_named, help=f"which benchmarks, all without: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument(
        "--rounds", type=_rounds, default=ROUNDS, help=f"runs of each command; {ROUNDS} without"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there too")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", default=PAGE, help="the page to write; docs/benchmarks.md"
    )
    return parser


def _named(text: str) -> str:
    if text not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"no benchmark {text}; there are: {', '.join(BENCHMARKS)}")
    return text


def _rounds(text: str) -> int:
    rounds = int(text)
    if rounds < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return rounds
