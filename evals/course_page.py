"""The page of given plans: what came of the right one and of the careless ones of each scenario."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from evals.bench.page import rows
from evals.courses import NOTHING, Course, Held

NAME = "given plans"
HEADINGS = (
    "scenario",
    "right plan",
    "done",
    "verified",
    "kept",
    "left worse",
    "careless plans",
    "refused",
    "undone",
    "handed over",
    "careless left worse",
)
NONE_ACCEPTED = "no change is acceptable"
ALL = "all"


def results(
    scenarios: Sequence[str], courses: Sequence[Course], machine: Mapping[str, str], day: date
) -> str:
    """Return the sentences that sum up, a row for each scenario, what was not right, and what it was played on."""
    table = [_line(HEADINGS), "|---|---|" + "---:|" * (len(HEADINGS) - 2)]
    table += [_line(_row(name, [one for one in courses if one.scenario == name])) for name in scenarios]
    table.append(_line(_row(ALL, courses)))
    wrong = [f"- {one.scenario}: {one.plan}: {one.why}" for one in courses if not one.right]
    facts = "; ".join(f"{name}: {value}" for name, value in machine.items())
    seeds = ", ".join(sorted({str(one.seed) for one in courses})) or "none"
    seconds = sum(one.seconds for one in courses) / len(courses) if courses else 0.0
    with_ = f"{day}, {len(courses)} plans, seed {seeds}, {seconds:.0f} s each in the mean. {facts}."
    parts = ["\n".join(summed_up(courses)), "\n".join(table), "\n".join(wrong), with_]
    return "\n\n".join(part for part in parts if part)


def summed_up(courses: Sequence[Course]) -> Iterator[str]:
    """Yield a sentence on the right plans and one on the careless ones, of those that were played."""
    right = [one for one in courses if not one.careless]
    careless = [one for one in courses if one.careless]
    if right:
        good = sum(one.right for one in right)
        worse = sum(bool(one.left) for one in right)
        yield f"{good} of {len(right)} right plans were done, verified and kept; {worse} left anything worse."
    if careless:
        held = {how: sum(one.held is how for one in careless) for how in Held}
        yield (
            f"{sum(one.right for one in careless)} of {len(careless)} careless plans left nothing worse: "
            f"{held[Held.REFUSED]} were refused, {held[Held.UNDONE]} undone, {held[Held.HANDED_OVER]} handed over."
        )


def table_of(page: str) -> tuple[tuple[str, ...], ...]:
    """Return the cells of a page's table, headings first."""
    return tuple(row for row in rows(page, NAME) if len(row) == len(HEADINGS))


def _row(name: str, courses: Sequence[Course]) -> tuple[str, ...]:
    right = [one for one in courses if not one.careless]
    careless = [one for one in courses if one.careless]
    told = " ".join(one.plan for one in right) if name != ALL else f"{len(right)} plans"
    cells: tuple[str, ...]
    if not right:
        told, cells = NONE_ACCEPTED, ("", "", "", "")
    elif not all(one.played for one in right) and name != ALL:
        told, cells = f"not played: {right[0].why}", ("no", "no", "no", "0")
    else:
        cells = (
            *(_share([getattr(one, mark) for one in right]) for mark in ("done", "verified", "kept")),
            str(sum(bool(one.left) for one in right)),
        )
    held = tuple(str(sum(one.held is how for one in careless)) for how in Held)
    return (name, _cell(told), *cells, str(len(careless)), *held)


def _share(marks: Sequence[bool]) -> str:
    return ("yes" if marks[0] else "no") if len(marks) == 1 else f"{sum(marks)} of {len(marks)}"


def _cell(plan: str) -> str:
    return "" if plan == NOTHING else plan.replace("|", "/")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
