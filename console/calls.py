"""`cloudops sim calls`: what the account was asked, by whom, and what became of it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from console.account import Account
from console.controlling import print_lines, read_span, the_account
from console.text import screen, styled

EVERY_SECONDS = 0.5
ANYTHING = "*"


@dataclass(frozen=True)
class Wanted:
    """Which calls are to be shown, and how."""

    operation: str | None = None
    caller: str | None = None
    since: str | None = None
    as_json: bool = False
    follow: bool = False

    def question(self) -> dict[str, str | float]:
        """The question to the account. A caller is found by any part of its ARN."""
        asked: dict[str, str | float] = {}
        if self.operation is not None:
            service, colon, operation = self.operation.rpartition(":")
            asked |= {"operation": operation, **({"service": service} if colon else {})}
        if self.caller is not None:
            asked["caller"] = f"{ANYTHING}{self.caller}{ANYTHING}"
        if self.since is not None:
            asked["since_seconds"] = read_span(self.since).total_seconds()
        return asked


def show_calls(state_dir: Path, wanted: Wanted) -> int:
    """Print the calls that came in, and with `follow` every further one until Ctrl-C."""
    account, question = the_account(state_dir), wanted.question()
    found = account.calls(question)
    if wanted.as_json and not wanted.follow:
        print_lines(json.dumps(found["calls"], indent=2))
        return 0
    _print(found["calls"], wanted)
    if wanted.follow:
        _follow(account, question, found["next"], wanted)
    elif not found["calls"]:
        screen(err=True).print("no such call", style="dim")
    return 0


def _follow(account: Account, question: dict[str, str | float], after: int, wanted: Wanted) -> None:
    try:
        while True:
            time.sleep(EVERY_SECONDS)
            found = account.calls({**question, "after": after})
            after = found["next"]
            _print(found["calls"], wanted)
    except KeyboardInterrupt:
        return


def _print(calls: list[dict[str, Any]], wanted: Wanted) -> None:
    out = screen()
    for call in calls:
        if wanted.as_json:
            print_lines(json.dumps(call))
        else:
            out.print(line(call), soft_wrap=True)


def line(call: Mapping[str, Any]) -> Text:
    """Return one call in one line: when, what, by whom, and the error where it was refused."""
    text = styled(f"{call['at'][11:19]}  ", "dim")
    text.append_text(styled(f"{call['service']}:{call['operation']}", "" if call["read_only"] else "bold"))
    text.append_text(styled(f"  {short(call['caller_arn'])}", "dim"))
    if call["error_code"]:
        text.append_text(styled(f"  {call['error_code']}", "red"))
    return text


def short(arn: str) -> str:
    """Return what tells one caller from another: user/NAME, or ROLE/SESSION."""
    return arn.rpartition(":")[2].removeprefix("assumed-role/")
