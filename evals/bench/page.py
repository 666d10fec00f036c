"""The page of results: each benchmark's table stands between two marks, and only that is written anew."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from evals.bench.race import Timed

HEADINGS = ("command", "median s", "least s", "least CPU s", "times the peer", "CPU, times the peer")


def table(timed: Sequence[Timed], peer: str, machine: Mapping[str, str], day: date) -> str:
    """Return a benchmark's results in Markdown: seconds, ratios to the peer, and what they were measured on."""
    standard = next(one for one in timed if one.contender.name == peer)
    rounds = len(standard.runs)
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" + "|---:" * (len(HEADINGS) - 1) + "|"]
    for one in timed:
        figures = (
            f"{one.median_seconds:.2f}",
            f"{one.least_seconds:.2f}",
            f"{one.least_cpu_seconds:.2f}",
            f"{one.median_seconds / standard.median_seconds:.2f}",
            f"{one.least_cpu_seconds / standard.least_cpu_seconds:.2f}",
        )
        lines.append(f"| `{one.contender.name}` | {' | '.join(figures)} |")
    facts = "; ".join(f"{name}: {value}" for name, value in machine.items())
    return "\n".join([*lines, "", f"{day}, {rounds} rounds, peer: `{peer}`. {facts}."])


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with a benchmark's table set anew; a page without its marks is refused."""
    begin, end = marks(name)
    pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs {begin} and {end} once each, on lines of their own")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)


def rows(page: str, name: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a benchmark's table, headings first, as the page holds them."""
    begin, end = marks(name)
    inner = page.partition(begin)[2].partition(end)[0]
    lines = [line for line in inner.splitlines() if line.startswith("| ")]
    return tuple(tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines)


def marks(name: str) -> tuple[str, str]:
    """Return the two lines between which a benchmark's table stands."""
    return f"<!-- bench {name} -->", f"<!-- end {name} -->"
