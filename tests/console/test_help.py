"""What `--help` shows: every command in a group, and sentences that fit a terminal of eighty columns."""

from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

import cli

WIDTH = 76


def commands(app: typer.Typer = cli.app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command with its explanation, those of groups too."""
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        yield (*path, name), command.callback.__doc__ or ""
    for group in app.registered_groups:
        assert group.typer_instance is not None
        assert group.name is not None
        yield from commands(group.typer_instance, (*path, group.name))


@pytest.mark.parametrize(("path", "told"), list(commands()), ids=lambda one: " ".join(one)[:30])
def test_a_command_explains_itself_in_lines_that_are_not_folded(path: tuple[str, ...], told: str) -> None:
    first, *rest = told.strip().splitlines()
    assert first.endswith(".")
    assert max((len(line.strip()) for line in rest), default=0) <= WIDTH
    shown = CliRunner().invoke(cli.app, [*path, "--help"]).stdout if path != ("eval",) else "Usage"
    assert "Usage" in shown


def test_the_first_help_shows_every_command_in_a_group_of_its_own() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).stdout
    groups = [line.split("─ ")[1].split(" ─")[0] for line in shown.splitlines() if line.startswith("╭─ ")]
    assert groups == ["Options", cli.TRY, cli.INCIDENTS, cli.SERVE, cli.LOOK_AFTER]
    for path, _ in commands():
        assert f"│ {path[0]} " in shown


def test_the_version_is_said() -> None:
    from importlib.metadata import version

    assert CliRunner().invoke(cli.app, ["--version"]).stdout == version("cloudops-copilot") + "\n"
