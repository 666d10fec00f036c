"""`cloudops sim`: the commands of the simulated account, and their options."""

from typing import Annotated

import typer

from console.command import Folder, Json, Seed, door
from console.sim_fault import fault

sim = typer.Typer(
    help="Run the simulated account on this machine, watch it, and disturb it.", no_args_is_help=True
)
sim.add_typer(fault, name="fault")


@sim.command("up")
@door
def sim_up(
    scenario: Annotated[str | None, typer.Option(help="Which scenario to play.")] = None,
    scenarios: Folder = None,
    seed: Seed = None,
    pace: Annotated[float, typer.Option(help="Account seconds a second; 0 lets the clock stand.")] = 0.0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the account that `down` kept.")
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and end it with Ctrl-C.")] = False,
    as_json: Json = False,
) -> int:
    """Start a simulated account that goes on after this command, and set the copilot up in it.

    Without --scenario it plays bad-deployment. What it prints can be pasted
    into a shell as it is: AWS's own tools then work in the account.
    """
    from console.account import Play
    from console.controlling import bring_up, check_resumable, stay_up
    from graphs.settings import state_dir_here

    if resume:
        if scenario is not None or scenarios is not None or seed is not None:
            raise typer.BadParameter("a resumed account goes on with its own scenario and seed")
        check_resumable(state_dir_here())
    play = Play(scenario or "bad-deployment", scenarios, seed, pace, keep=True, resume=resume)
    return (stay_up if foreground else bring_up)(play, state_dir_here(), _set_up, as_json=as_json)


@sim.command("down")
@door
def sim_down() -> int:
    """End the simulated account, and keep what it holds for `sim up --resume`."""
    from console.controlling import take_down
    from graphs.settings import state_dir_here

    return take_down(state_dir_here())


@sim.command("status")
@door
def sim_status(
    as_json: Json = False,
    env: Annotated[bool, typer.Option("--env", help="Print only the lines for a shell.")] = False,
) -> int:
    """Say what plays, where, and what time it is there."""
    from console.controlling import show_status
    from graphs.settings import state_dir_here

    return show_status(state_dir_here(), as_json=as_json, env=env)


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


@sim.command("inject")
@door
def sim_inject(
    scenario: Annotated[str, typer.Argument(help="Which scenario; see `cloudops scenarios`.")],
    scenarios: Folder = None,
    as_json: Json = False,
) -> int:
    """Lay a scenario's events, releases, faults and alarms over the running account, from now on.

    What the scenario dates before its own start happens at once.
    """
    from console.controlling import inject
    from graphs.settings import state_dir_here

    return inject(state_dir_here(), scenario, scenarios, as_json=as_json)


@sim.command("reset")
@door
def sim_reset(as_json: Json = False) -> int:
    """Put the account back to where it began, at the same address, and set the copilot up in it again."""
    from console.controlling import reset
    from graphs.settings import state_dir_here

    return reset(state_dir_here(), _set_up, as_json=as_json)


@sim.command("calls")
@door
def sim_calls(
    operation: Annotated[
        str | None, typer.Option(help="Only these: UpdateService, ecs:*, Describe*.")
    ] = None,
    caller: Annotated[str | None, typer.Option(help="Only callers whose ARN holds this.")] = None,
    since: Annotated[str | None, typer.Option(help="Only the last span of account time: 5m.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    as_json: Json = False,
) -> int:
    """Show the account's own log of calls: everything that was asked of it, reads and data events too."""
    from console.calls import Wanted, show_calls
    from graphs.settings import state_dir_here

    return show_calls(state_dir_here(), Wanted(operation, caller, since, as_json, follow))


@sim.command("watch")
@door
def sim_watch(
    minutes: Annotated[int, typer.Option(min=1, max=240, help="How far back.")] = 20,
    as_json: Json = False,
) -> int:
    """Watch requests, errors and latency of every service, the alarms and the clock, until Ctrl-C."""
    from console.watching import watch
    from graphs.settings import state_dir_here

    return watch(state_dir_here(), minutes, as_json=as_json)


def _set_up() -> None:
    from graphs.bootstrap import set_up
    from graphs.settings import World, from_environment

    set_up(from_environment(World.SIMULATED))
