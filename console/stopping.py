"""Turn the kill switch that is set without a deployment, and say where it stands."""

from console.text import full_time, rowed, screen
from graphs.callers import principal_of_caller
from graphs.copilot import Records
from memory.records.approval import MOST_REASON
from memory.records.kill_switch import KillSwitch
from memory.records.scope import Role
from memory.table import ConflictError
from tools.errors import CopilotError, Misconfigured


class NotTurnedError(CopilotError):
    """The switch stands where it stood; the message says why."""


def show_switch(records: Records) -> int:
    """Print whether writes are stopped, by what, and why."""
    out, switch = screen(), records.kill_switch.read()
    if records.settings.autonomy.kill_switch:
        out.print("writes are stopped by settings/autonomy.toml or CLOUDOPS_KILL_SWITCH")
    if switch.at is None:
        out.print("the switch was never turned: writes are not stopped by it")
        return 0
    said = "stopped" if switch.on else "allowed"
    told = f"writes are {said} since {full_time(switch.at)} by {switch.by}: {switch.reason}"
    out.print(rowed(told, out.width))
    return 0


def turn(records: Records, reason: str, *, on: bool) -> int:
    """Turn the switch as the STS caller. Everybody with a role may stop; who lets writes begin again may approve."""
    if not reason.strip():
        raise Misconfigured("say why, for whoever meets it: --reason")
    if len(reason) > MOST_REASON:
        raise Misconfigured(f"a reason has at most {MOST_REASON} characters, and this has {len(reason)}")
    by = principal_of_caller(records.caller_arn, records.settings)
    allowed = (Role.OPERATOR, Role.APPROVER, Role.BREAK_GLASS) if on else (Role.APPROVER,)
    if not any(by.has(role) for role in allowed):
        roles = " or ".join(role.value for role in allowed)
        raise NotTurnedError(f"{by.id} does not hold the role {roles}")
    switch = KillSwitch(on=on, reason=reason, by=by.id, at=records.clock.now())
    try:
        records.kill_switch.turn(switch)
    except ConflictError as error:
        raise NotTurnedError(f"somebody else turns it now: {error}") from error
    return show_switch(records)
