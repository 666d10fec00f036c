"""What commands share: how each ends, and the options that several take."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

P = ParamSpec("P")
Folder = Annotated[Path | None, typer.Option("--scenarios", help="Another folder of scenarios.")]
Seed = Annotated[int | None, typer.Option(help="The seed of the account's noise.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def door(command: Callable[P, int]) -> Callable[P, None]:
    """End a command with its exit code, and say in one sentence what kept it from its work."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from console.failures import told

        with told():
            code = command(*args, **kwargs)
        raise typer.Exit(code)

    return run
