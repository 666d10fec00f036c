"""The commands about stored evidence, and their options."""

from typing import Annotated

import typer

from console.command import Json, door

evidence = typer.Typer(
    help="Look at stored observations, and ask their questions again.", no_args_is_help=True
)

Incident = Annotated[str, typer.Argument(help="The incident's id, or as much of its beginning as is unique.")]
EvidenceId = Annotated[str, typer.Argument(help="Such as ev-1a2b3c.")]
OfIncident = Annotated[
    str, typer.Option("--incident", help="Its incident; else the newest incidents are looked through.")
]


@evidence.command("show")
@door
def show_evidence(
    evidence_id: EvidenceId,
    incident: OfIncident = "",
    whole: Annotated[
        bool, typer.Option("--whole", help="Read all of a result that the bucket keeps.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Show one observation: what was asked, when, what it cost, what is missing, and what came back."""
    from console.evidence import find, show
    from console.reading import open_shelf
    from graphs.settings import from_environment

    settings = from_environment()
    found = find(open_shelf(settings), evidence_id, incident)
    if not whole:
        return show(found, found.result, as_json=as_json)
    from graphs.bootstrap import open_records

    return show(found, open_records(settings).evidence.whole(found), as_json=as_json)


@evidence.command("list")
@door
def list_evidence(incident: Incident, as_json: Json = False) -> int:
    """List an incident's evidence in the order in which it was taken."""
    from console.evidence import list_evidence as list_all_of
    from console.reading import open_shelf
    from graphs.settings import from_environment

    return list_all_of(open_shelf(from_environment()), incident, as_json=as_json)


@evidence.command("replay")
@door
def replay_evidence(evidence_id: EvidenceId, incident: OfIncident = "", as_json: Json = False) -> int:
    """Ask an observation's question again, in the same window, and compare the answers.

    It ends with 0 when the answer is the same, 1 when it differs, 3 when the
    question cannot be asked now.
    """
    from console.replaying import replay_evidence as ask_again
    from graphs.bootstrap import open_records
    from graphs.settings import from_environment

    return ask_again(open_records(from_environment()), evidence_id, incident, as_json=as_json)
