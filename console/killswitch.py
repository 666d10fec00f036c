"""`cloudops killswitch`: the command that stops all writes without a deployment, and its options."""

from enum import StrEnum
from typing import Annotated

import typer

from console.command import door


class Switch(StrEnum):
    """Where the kill switch is turned to."""

    ON = "on"
    OFF = "off"


@door
def killswitch(
    to: Annotated[Switch | None, typer.Argument(help="on or off; without, say where it stands.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit and whoever meets it.")] = "",
) -> int:
    """Turn the kill switch: while it is on, the copilot changes nothing anywhere, and undoes nothing."""
    from console.stopping import show_switch, turn
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    records = open_records(from_environment())
    return show_switch(records) if to is None else turn(records, reason, on=to is Switch.ON)
