"""The tables of the documentation, made of what the code knows, so that neither can leave the other behind."""

from collections.abc import Iterable, Sequence

from simulator.cloudwatch.metric_math.functions import FUNCTIONS, REFUSED
from simulator.cloudwatch.metric_math.operators import SIGNS
from simulator.cloudwatch.statistics import DESCRIBED


def tables() -> dict[str, str]:
    """Each table by the name of the place it stands in."""
    return {
        "functions": _table(
            ("function", "takes", "gives", "what it does"),
            ((f"`{name}`", one.takes, one.gives, one.says) for name, one in sorted(FUNCTIONS.items())),
        ),
        "refused": _table(("function", "why"), ((f"`{name}`", why) for name, why in sorted(REFUSED.items()))),
        "operators": " ".join(f"`{sign}`" for sign in SIGNS).replace("|", "\\|"),
        "statistics": _table(
            ("statistic", "what it is"), ((f"`{n}`", says) for n, says in DESCRIBED.items())
        ),
    }


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def with_tables(page: str) -> str:
    """A page with its tables as the code has them, between `<!-- name -->` and `<!-- end -->`."""
    for name, table in tables().items():
        before, mark, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not mark or not end:
            raise ValueError(f"the page has no place for the table of {name}")
        page = f"{before}{mark}{table}\n{end}{after}"
    return page
