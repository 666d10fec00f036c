"""The `sim` commands that start, end, look at, move and change the account on this machine."""

import json
import re
import shlex
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from console.account import KEPT, Account, Play, is_alive, playing, running, start, stop
from console.text import full_time, screen, styled
from tools.aws.clock import AccountClock
from tools.errors import Misconfigured

_SPAN = re.compile(r"\+?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
# A shell that has either of these would go on using what they name.
_IN_THE_WAY = "unset AWS_PROFILE AWS_SESSION_TOKEN"
LOOK_SECONDS = 0.2


def the_account(state_dir: Path) -> Account:
    """Return the account that runs here, or say how to start one."""
    account = running(state_dir)
    if account is None:
        raise Misconfigured("no simulated account runs here: `cloudops sim up` starts one")
    return account


def bring_up(play: Play, state_dir: Path, set_up: Callable[[], Any], *, as_json: bool) -> int:
    """Start an account that goes on after this command, and say how to reach it."""
    account = start(play, state_dir)
    set_up()
    _introduce(account, as_json=as_json)
    return 0


def stay_up(play: Play, state_dir: Path, set_up: Callable[[], Any], *, as_json: bool) -> int:
    """Start an account, and end it when this command is interrupted."""
    with playing(play, state_dir, keep=False) as account:
        set_up()
        try:
            _introduce(account, as_json=as_json)
            while is_alive(account.pid):
                time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            return 0
    screen(err=True).print(f"the account has ended by itself; see {state_dir / 'simulator.log'}")
    return 1


def take_down(state_dir: Path) -> int:
    """End the account that runs here."""
    account = the_account(state_dir)
    stop(account)
    kept = (state_dir / KEPT).exists()
    screen().print(f"ended process {account.pid}" + ("; `cloudops sim up --resume` goes on" if kept else ""))
    return 0


def check_resumable(state_dir: Path) -> None:
    """Say the remedy where no account was kept."""
    if not (state_dir / KEPT).exists():
        raise Misconfigured("no account was kept here: `cloudops sim up` starts one, and `sim down` keeps it")


def show_status(state_dir: Path, *, as_json: bool, env: bool) -> int:
    """Print what plays, where, and the account's time; or only what a shell needs to reach it."""
    account = the_account(state_dir)
    if env:
        print_lines(exports(account.environment))
        return 0
    status = {**account.status(), "endpoint": account.endpoint}
    if as_json:
        print_lines(json.dumps({**status, "environment": dict(account.environment)}, indent=2))
        return 0
    out = screen()
    laid = [f"{one['scenario']} at {one['at']}" for one in status.pop("injected")]
    for name, value in {**status, "injected": ", ".join(laid) or "nothing"}.items():
        out.print(styled(f"{name:10} ", "dim").append(str(value)))
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


def inject(state_dir: Path, scenario: str, folder: Path | None, *, as_json: bool) -> int:
    """Lay a scenario's events, releases, faults and alarms over the account, from now on."""
    injected = the_account(state_dir).inject(scenario, folder)
    if as_json:
        print_lines(json.dumps(injected, indent=2))
    else:
        screen().print(
            f"{scenario} plays on top from {injected['at']}; `cloudops sim clock +10m` lets it happen"
        )
    return 0


def reset(state_dir: Path, set_up: Callable[[], Any], *, as_json: bool) -> int:
    """Put the account back to where it began, at the same address and under the same keys."""
    status = the_account(state_dir).reset()
    set_up()
    if as_json:
        print_lines(json.dumps(status, indent=2))
    else:
        screen().print(
            f"{status['scenario']} stands at its start again, {status['now']}; incidents are gone too"
        )
    return 0


def read_span(text: str) -> timedelta:
    """Read a span such as +10m, 90s or 1h30m."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise Misconfigured(f"{text!r} is no span of time; write +10m, 90s or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def exports(environment: Mapping[str, str]) -> str:
    """Return the lines that let a shell reach the account."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join([_IN_THE_WAY, *lines])


def print_lines(text: str) -> None:
    """Print text as it is: what is pasted or parsed must not be wrapped."""
    screen().print(text, soft_wrap=True)


def _introduce(account: Account, *, as_json: bool) -> None:
    if as_json:
        facts = {"scenario": account.scenario, "endpoint": account.endpoint, "pid": account.pid}
        print_lines(json.dumps({**facts, "environment": dict(account.environment)}, indent=2))
        return
    # Comments to a shell, so that all of it can be pasted.
    print_lines(f"# {account.scenario} plays at {account.endpoint}, process {account.pid}")
    print_lines("# For AWS's own tools, in any shell:")
    print_lines(exports(account.environment))
