"""`cloudops sim`: the commands of the simulated account, and their options."""

from typing import Annotated

import typer

from console.command import Folder, Seed, door

sim = typer.Typer(help="Start, stop and move the simulated account on this machine.", no_args_is_help=True)


@sim.command("start")
@door
def sim_start(
    scenario: Annotated[str, typer.Option(help="Which scenario to play.")] = "bad-deployment",
    scenarios: Folder = None,
    seed: Seed = None,
    pace: Annotated[float, typer.Option(help="Account seconds a second; 0 lets the clock stand.")] = 0.0,
) -> int:
    """Start a simulated account that goes on after this command, and set the copilot up in it."""
    from console.account import Play
    from console.controlling import start_account
    from graphs.bootstrap import set_up
    from graphs.settings import World, from_environment, state_dir_here

    code = start_account(Play(scenario, scenarios, seed, pace), state_dir_here())
    set_up(from_environment(World.SIMULATED))
    return code


@sim.command("stop")
@door
def sim_stop() -> int:
    """End the simulated account."""
    from console.controlling import stop_account
    from graphs.settings import state_dir_here

    return stop_account(state_dir_here())


@sim.command("status")
@door
def sim_status() -> int:
    """Say what plays, where, and what time it is there."""
    from console.controlling import show_status
    from graphs.settings import state_dir_here

    return show_status(state_dir_here())


@sim.command("clock", context_settings={"ignore_unknown_options": True})
@door
def sim_clock(
    span: Annotated[str | None, typer.Argument(help="How far to move it: +10m, 90s, 1h30m.")] = None,
    pace: Annotated[
        float | None, typer.Option(help="Let it run at so many seconds a second; 0 stops it.")
    ] = None,
) -> int:
    """Read the account's clock, move it, or let it run."""
    from console.controlling import move_clock
    from graphs.settings import state_dir_here

    return move_clock(state_dir_here(), span, pace)
