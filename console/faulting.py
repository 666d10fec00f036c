"""`cloudops sim fault`: order faults in the account's control plane, look at them, lift them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text

from console.account import Account
from console.controlling import print_lines, read_span, the_account
from console.text import screen, styled
from tools.errors import Misconfigured

_SHOWN = (
    "code",
    "status",
    "message",
    "seconds",
    "exception",
    "after_frames",
    "share",
    "seed",
    "after",
    "from",
    "until",
)


def add_fault(
    state_dir: Path,
    call: str,
    kind: str,
    terms: Mapping[str, Any],
    window: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> int:
    """Put a fault in force for the calls of `SERVICE:OPERATION`."""
    service, colon, operation = call.partition(":")
    if not service or (colon and not operation):
        raise Misconfigured(f"{call!r} is no call; write ecs:UpdateService, ecs:Describe* or bedrock-runtime")
    account = the_account(state_dir)
    given = {name: value for name, value in terms.items() if value is not None}
    fault = account.order_fault(
        {"service": service, "operation": operation or "*", "kind": kind, **given, **_dated(account, window)}
    )
    _show([fault], as_json=as_json)
    return 0


def list_faults(state_dir: Path, *, as_json: bool) -> int:
    """Print the faults in force, and how many calls each has met."""
    faults = the_account(state_dir).faults()
    if not faults and not as_json:
        screen(err=True).print("no fault is in force: `cloudops sim fault add` orders one", style="dim")
        return 0
    _show(faults, as_json=as_json)
    return 0


def clear_faults(state_dir: Path, id_: str | None) -> int:
    """Lift one fault, or all; calls that hang on them are let go."""
    lifted = the_account(state_dir).lift_faults(id_)
    screen().print(f"lifted {lifted} fault{'' if lifted == 1 else 's'}")
    return 0


def _dated(account: Account, window: tuple[str | None, str | None]) -> dict[str, str]:
    """Spans from now, as moments of account time."""
    if window == (None, None):
        return {}
    now = datetime.fromisoformat(account.status()["now"])
    begins, ends = (None if one is None else now + _span(one) for one in window)
    moments = {"from": begins, "until": ends}
    return {name: moment.isoformat() for name, moment in moments.items() if moment is not None}


def _span(text: str) -> timedelta:
    return read_span(text)


def _show(faults: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_lines(json.dumps(faults, indent=2))
        return
    out = screen()
    for fault in faults:
        out.print(_line(fault), soft_wrap=True)


def _line(fault: Mapping[str, Any]) -> Text:
    said = [f"{name} {fault[name]}" for name in _SHOWN if name in fault]
    if "caller" in fault:
        said.append(f"called by {fault['caller']}")
    text = styled(f"{fault['id']:4} ", "bold")
    text.append_text(styled(f"{fault['service']}:{fault.get('operation', '*')} {fault['kind']}", "yellow"))
    text.append_text(styled(f"  {_often(fault)}{''.join(f', {one}' for one in said)}"))
    return text.append_text(styled(f"  met by {fault['met']} of {fault['seen']} calls", "dim"))


def _often(fault: Mapping[str, Any]) -> str:
    times = fault.get("times")
    if times == -1 or (times is None and ("share" in fault or "until" in fault)):
        return "every call" if "share" not in fault else "by chance"
    return "once" if times in (None, 1) else f"{times} times"
