"""`cloudops data` and `cloudops audit`: the commands about what is stored, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from console.command import door

data = typer.Typer(help="Hand over or erase everything that is stored.", no_args_is_help=True)
audit = typer.Typer(help="Look at the audit, and hold it against its hashes.", no_args_is_help=True)

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


@audit.command("break-glass")
@door
def show_break_glass(as_json: Json = False) -> int:
    """List what was approved by break-glass, for people to review: who, what, why, and how it ended."""
    from console.auditing import break_glass
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return break_glass(open_records(from_environment()), as_json=as_json)


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
