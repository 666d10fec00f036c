"""The commands that show what the copilot may do and what it goes by."""

from console.command import Json, door


@door
def actions(as_json: Json = False) -> int:
    """List what the copilot may do, with its risk, its way back and what is seen by when."""
    from console.catalogue import show_catalogue

    return show_catalogue(as_json=as_json)


@door
def runbooks(as_json: Json = False) -> int:
    """List the runbooks, and what of them the account no longer has.

    It ends with 1 when one has drifted.
    """
    from console.runbooks import show_runbooks
    from graphs.settings import from_environment

    return show_runbooks(from_environment(), as_json=as_json)
