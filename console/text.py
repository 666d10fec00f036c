"""Words for the terminal: what came from outside is shown, never obeyed."""

import textwrap
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.text import Text

from memory.records.incident import Severity, Status

WIDE = 112
HANGING = 10
SEVERITY_STYLE = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.NONE: "dim",
}
STATUS_STYLE = {
    Status.RESOLVED: "bold green",
    Status.NOISE: "bold green",
    Status.UNRESOLVED: "bold yellow",
    Status.ESCALATED: "bold yellow",
    Status.AWAITING_APPROVAL: "bold magenta",
}


def screen(*, err: bool = False) -> Console:
    """Return a console that colours only on a terminal, and wraps elsewhere at a width that reads well."""
    console = Console(stderr=err, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(stderr=err, highlight=False, markup=False, emoji=False, width=WIDE)
    return console


def plain(value: Any) -> str:
    """Return a value as text without control characters, so that a log line cannot drive the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in str(value).replace("\t", " "))


def rowed(value: Any, width: int, indent: int = HANGING) -> str:
    """Return a value as one row: its line breaks go and what is folded hangs, and nothing in it looks like a row."""
    return textwrap.fill(plain(value), width, subsequent_indent=" " * indent, break_on_hyphens=False)


def styled(value: Any, style: str = "") -> Text:
    """Return outside text in a style."""
    return Text(plain(value), style=style)


def clock_time(moment: datetime | None) -> str:
    """Return the time of day of the account, in UTC."""
    return f"{moment:%H:%M:%S}" if moment else "-"


def full_time(moment: datetime | None) -> str:
    """Return the day and time, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"


def span(length: timedelta) -> str:
    """Return a length of time in the two largest units that say something."""
    seconds = round(length.total_seconds())
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def share(value: float | None) -> str:
    """Return a share as per cent."""
    return "-" if value is None else f"{value:.1%}".replace("%", " %")


def amount(value: float | None) -> str:
    """Return a number with as many digits as it needs."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
