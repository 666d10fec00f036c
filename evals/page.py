"""The page of the evaluation: the results stand between two marks, and only they are written anew."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from evals.drive import Trial
from evals.figures import LEVELS, bars, confusion
from evals.score import Score

BEGIN, END = "<!-- eval scenarios -->", "<!-- end scenarios -->"
HEADINGS = (
    "scenario",
    "right",
    "mean score",
    "first look alone",
    "wrong cause claimed",
    "forbidden calls",
    "end state",
    "claims removed",
    "model calls",
    "reads",
    "AWS calls",
    "tokens",
    "of these cached",
    "usd",
    "s",
    "marks missed",
)
NOT_PLAYED = "not played"
# What a trial takes in the mean, and the decimals that it is told with.
EFFORT = {
    "removed": 1,
    "model_calls": 1,
    "reads": 1,
    "aws_calls": 0,
    "tokens": 0,
    "cached_tokens": 0,
    "usd": 4,
    "seconds": 0,
}


def results(
    scenarios: Sequence[str],
    scores: Sequence[Score],
    machine: Mapping[str, str],
    day: date,
    asked: Sequence[Trial],
) -> str:
    """Return the sentence that sums up, a row for each scenario, and what it was played with."""
    rows = [_row(name, [one for one in scores if one.scenario == name]) for name in scenarios]
    rows += [_row("all", scores)] if scores else []
    table = [_line(HEADINGS), "|---|" + "---:|" * (len(HEADINGS) - 2) + "---|", *map(_line, rows)]
    parts = ["\n".join(table), *_figures(scores), _played_with(scores, machine, day, asked)]
    return "\n".join([summed_up(scenarios, scores), "", "\n\n".join(parts)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figures(scores: Sequence[Score]) -> list[str]:
    """Return the figures that are wanted, the first look's alone beside the whole path's, and the severities."""
    if not scores:
        return []
    told = [
        _line(("figure", "wanted", "first look alone", "whole path", "reached")),
        "|---|---:|---:|---:|---:|",
    ]
    told += [
        _line((one.name, one.wanted, one.alone, one.whole, "yes" if one.reached else "no"))
        for one in bars(scores)
    ]
    grid = [_line(("true severity", *(f"said {level}" for level in LEVELS))), "|---|" + "---:|" * len(LEVELS)]
    grid += [_line((level, *map(str, row))) for level, row in zip(LEVELS, confusion(scores), strict=True)]
    return ["\n".join(told), "\n".join(grid)]


def summed_up(scenarios: Sequence[str], scores: Sequence[Score]) -> str:
    """Say plainly how many scenarios are right."""
    right = {name: [one.share == 1.0 for one in scores if one.scenario == name] for name in scenarios}
    whole = sum(bool(marks) and all(marks) for marks in right.values())
    some = sum(any(marks) and not all(marks) for marks in right.values())
    said = f"{whole} of {len(scenarios)} scenarios are right in all seeds today, {some} in some."
    unplayed = [name for name, marks in right.items() if not marks]
    return f"{said} Not played: {', '.join(unplayed)}." if unplayed else said


def _row(name: str, scores: Sequence[Score]) -> tuple[str, ...]:
    if not scores:
        return (name, NOT_PLAYED, *[""] * (len(HEADINGS) - 2))
    of = len(scores)
    forbidden = sorted({call for one in scores for call in one.forbidden})
    missed = {mark: sum(not one.marks[mark] for one in scores) for mark in scores[0].marks}
    return (
        name,
        f"{sum(one.share == 1.0 for one in scores)} of {of}",
        f"{sum(one.share for one in scores) / of:.2f}",
        f"{sum(one.first_look.share for one in scores) / of:.2f}",
        f"{sum(one.claims_wrongly for one in scores)} of {of}",
        ", ".join(forbidden) or "none",
        f"{sum(one.end_state for one in scores)} of {of}",
        *(f"{_mean(scores, name):.{places}f}" for name, places in EFFORT.items()),
        ", ".join(mark.replace("_", " ") for mark, times in missed.items() if times) or "none",
    )


def _mean(scores: Sequence[Score], name: str) -> float:
    return sum(float(getattr(one, name)) for one in scores) / len(scores)


def _played_with(
    scores: Sequence[Score], machine: Mapping[str, str], day: date, asked: Sequence[Trial]
) -> str:
    models = ", ".join(sorted({f"`{model}`" for one in scores for model in one.models})) or "no model"
    seeds = f"seeds {', '.join(str(seed) for seed in sorted({one.seed for one in scores})) or 'none'}"
    if any(one.renamed for one in asked):
        seeds += ", renamed by each"
    broken = sum(not one.played for one in scores)
    off = f" {broken} of them broke off." if broken else ""
    if len(asked) > len(scores):
        off += f" {len(asked) - len(scores)} more did not begin in the time that the run had."
    seconds = sum(one.seconds for one in scores) / len(scores) if scores else 0.0
    facts = "; ".join(f"{name}: {value}" for name, value in machine.items())
    played = f"{day}, {len(scores)} trials with {models}, {seeds}, {seconds:.0f} s each in the mean.{off}"
    return f"{played} {facts}."


def replaced(page: str, text: str) -> str:
    """Return a page with the results set anew; a page without the marks is refused."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs {BEGIN} and {END} once each, on lines of their own")
    return pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", page)


def rows(page: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of the table of scenarios, headings first, as a page holds them, without its sum."""
    inner = page.partition(BEGIN)[2].partition(END)[0]
    found: list[tuple[str, ...]] = []
    for line in inner[inner.find(f"| {HEADINGS[0]} |") :].splitlines():
        if not line.startswith("|"):
            break
        if line.startswith("| ") and not line.startswith("| all |"):
            found.append(tuple(cell.strip() for cell in line[1:-1].split("|")))
    return tuple(found)
