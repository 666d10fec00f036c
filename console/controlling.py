"""The `sim` commands: start, stop, look at and move the account on this machine."""

import re
from datetime import timedelta
from pathlib import Path

from console.account import Account, Play, running, start, stop
from console.text import full_time, screen, styled
from tools.aws.clock import AccountClock
from tools.errors import Misconfigured

_SPAN = re.compile(r"\+?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def the_account(state_dir: Path) -> Account:
    """Return the account that runs here, or say how to start one."""
    account = running(state_dir)
    if account is None:
        raise Misconfigured("no simulated account runs here: `cloudops sim start` starts one")
    return account


def start_account(play: Play, state_dir: Path) -> int:
    """Start an account that goes on after this command."""
    account = start(play, state_dir)
    screen().print(f"{account.scenario} plays at {account.endpoint}, process {account.pid}")
    return 0


def stop_account(state_dir: Path) -> int:
    """End the account that runs here."""
    account = the_account(state_dir)
    stop(account)
    screen().print(f"ended process {account.pid}")
    return 0


def show_status(state_dir: Path) -> int:
    """Print what plays, where, and the account's time."""
    account = the_account(state_dir)
    out = screen()
    for name, value in account.status().items():
        out.print(styled(f"{name:10} ", "dim").append(str(value)))
    out.print(styled(f"{'endpoint':10} ", "dim").append(account.endpoint))
    return 0


def move_clock(state_dir: Path, span: str | None, pace: float | None) -> int:
    """Move the account's clock by a span, let it run at a pace, or just read it."""
    account = the_account(state_dir)
    clock = AccountClock(account.clock_url)
    now = clock.now()
    if span is not None:
        now = clock.wait_until(now + read_span(span))
    if pace is not None:
        account.pace(pace)
    screen().print(full_time(now))
    return 0


def read_span(text: str) -> timedelta:
    """Read a span such as +10m, 90s or 1h30m."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise Misconfigured(f"{text!r} is no span of time; write +10m, 90s or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
