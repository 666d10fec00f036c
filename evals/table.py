"""The results as a table: what the models made of an incident beside what the first look found alone."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from evals.score import Score

YES, NO = "✓", "✗"


def table(scores: Sequence[Score]) -> Table:
    """Return the results; `model` and `1st look` are shares of the same five marks of an assessment.

    There is no share of a model where none gave an answer that could be used.
    """
    models = ", ".join(sorted({model for one in scores for model in one.models})) or "no model"
    shown = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    shown.title, shown.title_justify, shown.title_style = f"scores with {models}", "left", "bold"
    shown.add_column("scenario", no_wrap=True)
    shown.add_column("seed", justify="right", no_wrap=True)
    for name in ("score", "model", "1st look"):
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
        f"{one.answer.share:.2f}" if one.by_model else "-",
        f"{one.first_look.share:.2f}",
        *(YES if mark else NO for mark in right),
        ", ".join(one.forbidden) or "none",
        str(one.steps),
        str(one.tokens),
        f"{one.usd:.4f}",
        f"{one.seconds:.0f}",
    ]
