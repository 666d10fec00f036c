"""What a look at the configuration came to, and how it is shown."""

from dataclasses import dataclass
from enum import StrEnum

from rich.table import Table
from rich.text import Text

from console.text import styled


class Finding(StrEnum):
    """What a look came to."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


SIGNS = {Finding.OK: ("✓", "green"), Finding.NOTE: ("·", "yellow"), Finding.BAD: ("✗", "bold red")}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at; anything but ok says what to do."""

    area: str
    what: str
    finding: Finding = Finding.OK
    remedy: str = ""


def drawn(line: Line) -> Table:
    """Return a line for the terminal: its sign, what was looked at, and the remedy below."""
    sign, style = SIGNS[line.finding]
    row = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        row.add_column(overflow="fold")
    row.add_row(
        Text(sign, style), f"{line.area:10}", styled(line.what, style if line.finding is Finding.BAD else "")
    )
    if line.remedy:
        row.add_row("", "", styled(line.remedy, style))
    return row
