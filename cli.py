"""Terminal door: the commands and their options. What they do is in `console/`.

Each command imports what it needs when it runs, so that those which run no graph load no model library.
"""

import gc
import importlib
import importlib.util
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console import garbage
from console.command import Folder, Seed, door
from console.data import audit, data
from console.killswitch import killswitch
from console.knowing import actions, runbooks
from console.ledger import evidence
from console.sim import sim

app = typer.Typer(
    name="cloudops",
    help="Takes a CloudWatch alarm to a closed incident: cause on stored evidence, one approved action, verified.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
# The groups of `cloudops --help`, in the order of the commands below.
TRY, INCIDENTS, SERVE, LOOK_AFTER = "Try it", "Incidents", "Serve", "Set up and look after"
app.add_typer(sim, name="sim", rich_help_panel=TRY)
app.add_typer(evidence, name="evidence", rich_help_panel=INCIDENTS)
app.add_typer(audit, name="audit", rich_help_panel=INCIDENTS)
app.add_typer(data, name="data", rich_help_panel=LOOK_AFTER)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("cloudops-copilot"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that are no command's own."""


Json = Annotated[bool, typer.Option("--json", help="Print exactly the incident record on stdout.")]
Incident = Annotated[str, typer.Argument(help="The incident's id, or as much of its beginning as is unique.")]
SeenPlan = Annotated[
    str,
    typer.Option("--plan", metavar="HASH", help="The plan that you have seen: 8 digits or more of its hash."),
]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Follow the incident until it ends or needs you.")
]


class AskedRole(StrEnum):
    """The roles a token may carry."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    BREAK_GLASS = "break_glass"


@app.command(rich_help_panel=TRY)
@door
def demo(
    scenario: Annotated[
        str, typer.Option(help="Which scenario; see `cloudops scenarios`.")
    ] = "bad-deployment",
    approve: Annotated[bool, typer.Option("--approve", help="Approve what is asked.")] = False,
    deny: Annotated[bool, typer.Option("--deny", help="Deny what is asked.")] = False,
    as_json: Json = False,
    scenarios: Folder = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Let the account go on afterwards, for show, approve and sim.")
    ] = False,
    seed: Seed = None,
) -> int:
    """Play a scenario from its alarm to its end, in a simulated account of its own.

    Approval is asked at the prompt. Where there is no terminal, and neither
    --approve nor --deny, the plan is denied with the reason "no one was there
    to approve": nothing is changed, and people are told. The exit code is 0
    only when the account shows what the record claims.
    """
    from console.account import Play
    from console.demo import Demo, run_demo

    if approve and deny:
        raise typer.BadParameter("either --approve or --deny")
    play = Play(scenario, scenarios, seed)
    return run_demo(Demo(play, "approve" if approve else "deny" if deny else None, as_json, keep))


@app.command(rich_help_panel=TRY)
def scenarios(scenarios: Folder = None) -> None:
    """List the scenarios that can be played."""
    from console.scenarios import show_scenarios

    raise typer.Exit(show_scenarios(scenarios))


@app.command(rich_help_panel=INCIDENTS)
@door
def run(
    alarm: Annotated[Path, typer.Argument(help="A file with one alarm event.", exists=True, dir_okay=False)],
    as_json: Json = False,
    wait: Wait = True,
) -> int:
    """Run one alarm event, as EventBridge, SNS or a Lambda action delivers it."""
    from console.running import run_file
    from console.session import open_session
    from graphs.settings import from_environment

    return run_file(open_session(from_environment()), alarm, wait=wait, as_json=as_json)


@app.command(rich_help_panel=INCIDENTS)
@door
def show(incident: Incident, as_json: Json = False) -> int:
    """Show one incident."""
    from console.inspecting import show as show_incident
    from console.reading import open_shelf
    from graphs.settings import from_environment

    return show_incident(open_shelf(from_environment()), incident, as_json=as_json)


@app.command(rich_help_panel=INCIDENTS)
@door
def report(incident: Incident) -> int:
    """Write one incident's report and record again, from what is stored."""
    from console.report import report_again
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return report_again(open_records(from_environment()), incident)


@app.command("list", rich_help_panel=INCIDENTS)
@door
def list_all(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    status: Annotated[str, typer.Option(help="Such as awaiting_approval or resolved.")] = "",
    service: Annotated[str, typer.Option(help="The service that the alarm is of, or that was hit.")] = "",
    account: Annotated[str, typer.Option(help="The account's number.")] = "",
    since: Annotated[str, typer.Option(help="A day or a time; UTC unless it names a zone.")] = "",
    after: Annotated[str, typer.Option(help="The next page: what the page before ended with.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as a JSON list.")] = False,
) -> int:
    """List the incidents, newest first."""
    from console.listing import Listed, list_incidents
    from console.reading import open_shelf
    from graphs.settings import from_environment

    asked = Listed(status, service, account, since, after, limit)
    return list_incidents(open_shelf(from_environment()), asked, as_json=as_json)


@app.command(rich_help_panel=INCIDENTS)
@door
def approve(
    incident: Incident,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    plan: SeenPlan = "",
    break_glass: Annotated[
        bool,
        typer.Option("--break-glass", help="Approve alone, with that role and a reason; people are paged."),
    ] = False,
    as_json: Json = False,
    wait: Wait = True,
) -> int:
    """Approve what an incident waits for, as the caller that STS names, and follow it to its end.

    At a terminal the plan is shown and a yes asked for. Elsewhere, and with
    --json, --plan names the plan that was seen.
    """
    return _decide(incident, (True, plan, reason, break_glass), as_json=as_json, wait=wait)


@app.command(rich_help_panel=INCIDENTS)
@door
def deny(
    incident: Incident,
    reason: Annotated[str, typer.Option(help="Why, for the record and the people who are told.")],
    plan: SeenPlan = "",
    as_json: Json = False,
    wait: Wait = True,
) -> int:
    """Deny what an incident waits for; nothing is changed, and people are told."""
    return _decide(incident, (False, plan, reason, False), as_json=as_json, wait=wait)


def _decide(incident: str, said: tuple[bool, str, str, bool], *, as_json: bool, wait: bool) -> int:
    from console.deciding import Answer, decide_and_follow
    from console.session import open_to_decide
    from graphs.settings import from_environment

    answer = Answer(*said)
    session = open_to_decide(from_environment(), pages=answer.break_glass)
    return decide_and_follow(session, incident, answer, wait=wait, as_json=as_json)


app.command(rich_help_panel=INCIDENTS)(killswitch)


@app.command(rich_help_panel=SERVE)
@door
def serve(
    host: Annotated[str, typer.Option(help="Others than this machine need an issuer.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    queue: Annotated[bool | None, typer.Option(help="Consume the queue; else CLOUDOPS_QUEUE says.")] = None,
) -> int:
    """Serve the HTTP door, run the graph, wake what is due and consume the queue, until Ctrl-C."""
    from console.serving import run_server, settings_to_serve
    from graphs.settings import from_environment
    from web.application import application
    from web.doorkeeper import Doorkeeper

    settings = settings_to_serve(from_environment(), queue)
    return run_server(application(Doorkeeper(lambda: settings)), settings, host, port)


@app.command(rich_help_panel=SERVE)
@door
def worker() -> int:
    """Consume the queue of alarm events and wake what is due, without a server, until Ctrl-C."""
    from console.running import run_worker
    from console.session import open_session
    from graphs.settings import from_environment

    session = open_session(from_environment())
    garbage.resume()
    return run_worker(session)


@app.command(rich_help_panel=SERVE)
@door
def tick() -> int:
    """Wake once what is due, send what is still queued, and look for late events of CloudTrail."""
    from console.running import run_tick
    from console.session import open_session
    from graphs.settings import from_environment

    return run_tick(open_session(from_environment()))


@app.command(rich_help_panel=LOOK_AFTER)
@door
def graph(svg: Annotated[Path | None, typer.Option(help="Write an SVG there instead.")] = None) -> int:
    """Print the incident graph as Mermaid text, or draw it."""
    from console.drawing import show_graph

    return show_graph(svg)


app.command(rich_help_panel=LOOK_AFTER)(actions)
app.command(rich_help_panel=LOOK_AFTER)(runbooks)


@app.command(rich_help_panel=LOOK_AFTER)
@door
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the looks as JSON.")] = False) -> int:
    """Look at what is configured, reachable and permitted; say the remedy of what is not.

    It ends with 1 when something is to mend, 2 without settings, 3 when the
    account cannot be asked.
    """
    from console.doctor import doctor as look

    return look(as_json=as_json)


@app.command(rich_help_panel=SERVE)
@door
def token(
    role: Annotated[list[AskedRole], typer.Option(help="A role to carry; may be given again.")] = [  # noqa: B006
        AskedRole.VIEWER,
        AskedRole.OPERATOR,
        AskedRole.APPROVER,
    ],
    minutes: Annotated[int, typer.Option(min=1, max=24 * 60)] = 60,
) -> int:
    """Sign a token for the HTTP door, as the user of this machine."""
    from console.tokens import show_token
    from graphs.settings import from_environment
    from memory.records.scope import Role

    return show_token(from_environment(), [Role(one.value) for one in role], minutes)


@app.command(rich_help_panel=LOOK_AFTER)
@door
def setup() -> int:
    """Create the copilot's tables, queue, rule and topic where they are missing."""
    from graphs.bootstrap import set_up
    from graphs.settings import from_environment

    backend = set_up(from_environment())
    typer.echo(f"{backend.records_table}, {backend.checkpoints_table}, {backend.queue}, {backend.topic_arn}")
    return 0


# Its options, `--help` among them, are read in evals.run: evals are not shipped, and this door has to start without.
@app.command(
    "eval",
    rich_help_panel=TRY,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
@door
def evaluate(context: typer.Context) -> int:
    """Score scenarios through the whole path."""
    if importlib.util.find_spec("evals") is None or importlib.util.find_spec("evals.run") is None:
        typer.echo("evals are not installed with the package: run this in a checkout", err=True)
        return 2
    code: int = importlib.import_module("evals.run").main(context.args)
    return code


def main() -> None:
    """Run the command line; nearly all that it allocates are modules, which no collection could free."""
    garbage.wait_while_loading()
    try:
        app()
    finally:
        # What stands goes with the process: without this, its end looks through every module once more.
        gc.freeze()


if __name__ == "__main__":
    main()
