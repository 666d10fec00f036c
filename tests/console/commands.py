"""The command line as people run it: a process of its own, in a directory of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

import cli

ROOT = Path(__file__).parent.parent.parent
SECONDS = 170


@dataclass(frozen=True)
class Desk:
    """A folder with its own state directory and output."""

    folder: Path

    @property
    def state_dir(self) -> Path:
        return self.folder / ".cloudops"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("CLOUDOPS_")},
            "CLOUDOPS_STATE_DIR": str(self.state_dir),
            "CLOUDOPS_OUT": str(self.out),
            "PYTHONPATH": str(ROOT),
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli", *arguments]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command without a terminal, to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def run_here(self, *arguments: str) -> Result:
        """Run a command within this process: much quicker, where nothing of a process is looked at."""
        only: dict[str, str | None] = {**dict.fromkeys(os.environ), **self.environment}
        return CliRunner().invoke(cli.app, list(arguments), env=only)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that somebody will interrupt."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
