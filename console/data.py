"""`cloudops data` and `cloudops audit`: the commands about what is stored, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from console.command import door

data = typer.Typer(help="Hand over or erase everything that is stored.", no_args_is_help=True)
audit = typer.Typer(help="Look at the audit, and hold it against its hashes.", no_args_is_help=True)
glass = typer.Typer(help="Approvals by break-glass, and their review.", invoke_without_command=True)
audit.add_typer(glass, name="break-glass")

OneIncident = Annotated[str, typer.Option("--incident", help="An incident's id, or its beginning.")]
Subject = Annotated[
    str, typer.Option("--subject", help="A principal's id, or text that is searched in all that is stored.")
]
Since = Annotated[str, typer.Option("--since", help="Search incidents from this day or time on (UTC).")]
Most = Annotated[int, typer.Option("--most", min=1, help="Search so many of the newest incidents.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@data.command("export")
@door
def export(
    incident: OneIncident = "",
    subject: Subject = "",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; else in the folder for output.")
    ] = None,
    since: Since = "",
    most: Most = 1000,
) -> int:
    """Write everything that is stored about an incident, or about a subject, into one JSON file."""
    from console.holdings import Choice, export_to
    from console.session import open_stored
    from graphs.settings import from_environment

    return export_to(open_stored(from_environment()), Choice(incident, subject, since, most), out)


@data.command("erase")
@door
def erase(
    incident: OneIncident = "",
    subject: Subject = "",
    reason: Annotated[str, typer.Option(help="Why, for the audit; it is kept, so name nobody.")] = "",
    since: Since = "",
    most: Most = 1000,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also an incident that goes on.")] = False,
) -> int:
    """Erase everything that is stored about an incident, or about a subject; hashes in the audit stay."""
    from console.holdings import Choice, erase_chosen
    from console.session import open_stored
    from graphs.settings import from_environment

    choice = Choice(incident, subject, since, most)
    return erase_chosen(open_stored(from_environment()), choice, reason, yes=yes, force=force)


@audit.command("show")
@door
def show_audit(
    incident: Annotated[str, typer.Argument(help="The incident's id, or its beginning.")],
    as_json: Json = False,
) -> int:
    """Print who did what, and on which authority."""
    from console.auditing import show
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return show(open_records(from_environment()), incident, as_json=as_json)


@glass.callback()
def show_break_glass(
    context: typer.Context,
    as_json: Json = False,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Only what nobody has reviewed; end with 1 if there is any.")
    ] = False,
) -> None:
    """List what was approved by break-glass, first what nobody has reviewed: who, why, and how it ended."""
    if context.invoked_subcommand is None:
        door(_list_break_glass)(as_json=as_json, unreviewed=unreviewed)


def _list_break_glass(*, as_json: bool, unreviewed: bool) -> int:
    from console.glass import show_broken
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return show_broken(open_records(from_environment()), as_json=as_json, unreviewed=unreviewed)


@glass.command("review")
@door
def review_break_glass(
    incident: Annotated[str, typer.Argument(help="The incident's id, or its beginning.")],
    note: Annotated[str, typer.Option(help="What you found, for the audit.")] = "",
) -> int:
    """Mark an incident's approvals by break-glass as reviewed, by another person than who gave them."""
    from console.glass import review
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return review(open_records(from_environment()), incident, note)


@audit.command("verify")
@door
def verify_audit(
    incident: Annotated[str, typer.Argument(help="The incident's id; all incidents without.")] = "",
) -> int:
    """Hold the audit against its hashes; end with 1 and name the first broken entry, if there is one."""
    from console.auditing import verify
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return verify(open_records(from_environment()), incident)
