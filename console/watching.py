"""`cloudops sim watch`: how the account's services do, live, as lines of small bars."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from console.account import Account
from console.controlling import print_lines, the_account
from console.text import amount, screen, styled

EVERY_SECONDS = 1.0
MANY_ERRORS = 0.02
BARS = "▁▂▃▄▅▆▇█"
_STATES = {"ALARM": "bold red", "OK": "green", "INSUFFICIENT_DATA": "yellow"}
_MEASURES = (("requests", "requests/min"), ("errors", "errors/min"), ("latency_ms", "p99 ms"))


def watch(state_dir: Path, minutes: int, *, as_json: bool) -> int:
    """Show the account until Ctrl-C; where there is no terminal, show it once."""
    account = the_account(state_dir)
    if as_json:
        print_lines(json.dumps(account.pulse(minutes), indent=2))
        return 0
    out = screen()
    if not out.is_terminal:
        out.print(_frame(account, minutes))
        return 0
    try:
        # Live puts the terminal back as it was, however the block is left.
        with Live(_frame(account, minutes), console=out, auto_refresh=False, screen=False) as live:
            while True:
                time.sleep(EVERY_SECONDS)
                live.update(_frame(account, minutes), refresh=True)
    except KeyboardInterrupt:
        return 0


def sparkline(values: Sequence[float | None], least: float = 0.0) -> str:
    """Return one bar for each value, its height by the largest, or by `least` where that is more; a gap for none."""
    most = max([least, *(one for one in values if one is not None)])
    return "".join(" " if one is None else BARS[_height(one, most)] for one in values)


def _height(value: float, most: float) -> int:
    return min(len(BARS) - 1, int(value / most * len(BARS))) if most > 0 and value > 0 else 0


def _frame(account: Account, minutes: int) -> Group:
    pulse, status = account.pulse(minutes), account.status()
    pace = "stands" if not status["pace"] else f"runs at {amount(status['pace'])} s/s"
    head = styled(status["scenario"], "bold")
    head.append_text(styled(f"  {pulse['now'][:19].replace('T', ' ')} UTC, the clock {pace}"))
    head.append_text(styled(f"  calls: {status['calls']}, faults: {status['faults']}", "dim"))
    return Group(head, _services(pulse), _alarms(pulse["alarms"]))


def _services(pulse: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("service", no_wrap=True)
    for _, title in _MEASURES:
        table.add_column(title, no_wrap=True)
        table.add_column("", justify="right", no_wrap=True)
    for service in pulse["services"]:
        cells: list[Text] = []
        for key, _ in _MEASURES:
            values = service[key]
            # A few errors among many requests are no alarm to the eye.
            least = (
                MANY_ERRORS * max(filter(None, service["requests"]), default=0.0) if key == "errors" else 0.0
            )
            style = "red" if key == "errors" and max(filter(None, values), default=0.0) > least else "cyan"
            last = next((one for one in reversed(values) if one is not None), None)
            cells += [styled(sparkline(values, least), style), styled(amount(last))]
        table.add_row(styled(service["name"]), *cells)
    return table


def _alarms(alarms: Sequence[Mapping[str, str]]) -> Text:
    text = Text("alarms  ", style="dim")
    for alarm in alarms:
        text.append_text(styled(alarm["name"])).append(" ")
        text.append_text(styled(alarm["state"], _STATES.get(alarm["state"], ""))).append("  ")
    return text
