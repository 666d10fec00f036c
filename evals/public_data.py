"""Data that others publish, put through the analysis: where it lies, what is made of it, and the page that says so."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from console.text import screen
from evals.bench.page import replaced
from evals.bench.run import PAGE

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
J = TypeVar("J")


@dataclass(frozen=True)
class PublicData(Generic[J]):
    """One set: its name, which is that of its folder, its module and its place in the page, and how it is judged.

    `is_enough` says whether what was judged is as good as it has to be.
    """

    name: str
    about: str | None
    judge: Callable[[Path], list[J]]
    table: Callable[[Sequence[J]], str]
    is_enough: Callable[[Sequence[J]], bool]

    def run(self, arguments: Sequence[str] | None = None) -> int:
        """Judge the set, write the table, and return 1 when that is not good enough or the set is not there."""
        parser = argparse.ArgumentParser(prog=f"python -m evals.{self.name}", description=self.about)
        parser.add_argument("--data", type=Path, default=DATA, help=f"the folder that holds {self.name}/")
        parser.add_argument("--page", type=Path, default=PAGE, help="the page to write; docs/benchmarks.md")
        asked = parser.parse_args(arguments)
        folder = asked.data / self.name
        if not folder.is_dir():
            screen().print(f"not judged: there is no folder {folder}; name the one it is in with --data")
            return 1
        judged = self.judge(folder)
        text = self.table(judged)
        screen().print(text)
        page = asked.page.read_text(encoding="utf-8")
        asked.page.write_text(replaced(page, self.name, text), encoding="utf-8")
        return 0 if self.is_enough(judged) else 1
