"""Benchmarks time what really ran, and the page holds what they would write."""

import json
import os
import sys
from datetime import date
from pathlib import Path

import pytest

from evals.bench.light_commands import OWN, PEERS
from evals.bench.machine import machine
from evals.bench.page import HEADINGS, marks, replaced, rows, table
from evals.bench.race import CommandFailedError, Contender, Run, Timed, race
from evals.bench.run import BENCHMARKS, PAGE, main


def waiting(name: str, note: Path, seconds: float = 0.0) -> Contender:
    code = f"import time; open({str(note)!r}, 'a').write({name!r}); time.sleep({seconds})"
    return Contender(name, (sys.executable, "-c", code))


def test_contenders_run_in_turns_and_the_first_round_is_not_counted(tmp_path: Path) -> None:
    note = tmp_path / "note"
    timed = race([waiting("a", note), waiting("b", note, 0.2)], 3, os.environ, tmp_path)
    assert note.read_text() == "abbaabba"
    assert [len(one.runs) for one in timed] == [3, 3]
    quick, slow = timed
    assert slow.least_seconds > 0.2
    assert slow.least_cpu_seconds < slow.least_seconds
    assert quick.least_seconds < slow.least_seconds


def test_a_command_that_fails_is_not_timed(tmp_path: Path) -> None:
    failing = Contender("wrong", (sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(CommandFailedError, match="wrong ended with 3"):
        race([failing], 1, os.environ, tmp_path)


def test_figures_and_ratios_are_those_of_the_runs() -> None:
    ours = Timed(Contender("ours", ("x",)), (Run(1.0, 0.5), Run(3.0, 0.6), Run(2.0, 0.7)))
    peer = Timed(Contender("peer", ("y",), peer=True), (Run(4.0, 1.2),) * 3)
    text = table([ours, peer], "peer", {"python": "CPython"}, date(2026, 11, 23))
    assert "| `ours` | 2.00 | 1.00 | 0.50 | 0.50 | 0.42 |" in text
    assert "| `peer` | 4.00 | 4.00 | 1.20 | 1.00 | 1.00 |" in text
    assert "2026-11-23, 3 rounds" in text


def test_only_what_stands_between_the_marks_is_written_anew() -> None:
    begin, end = marks("one")
    page = f"before\n{begin}\nold\n{end}\nafter\n"
    assert replaced(page, "one", "new") == f"before\n{begin}\nnew\n{end}\nafter\n"
    assert replaced(replaced(page, "one", "new"), "one", "old") == page
    for broken in ("before", f"{begin}\n", page + page):
        with pytest.raises(ValueError, match="once each"):
            replaced(broken, "one", "new")


def test_the_machine_is_described_without_its_name_and_paths() -> None:
    told = " ".join(machine().values())
    assert os.uname().nodename not in told
    assert "/" not in told.replace(" / ", "")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_committed_page_has_the_rows_that_are_measured(name: str) -> None:
    headings, *lines = rows(PAGE.read_text(encoding="utf-8"), name)
    assert headings == HEADINGS
    assert tuple(line[0].strip("`") for line in lines) == BENCHMARKS[name].rows
    assert BENCHMARKS[name].peer in BENCHMARKS[name].rows
    for line in lines:
        assert all(float(cell) > 0 for cell in line[1:]), line


def test_by_the_committed_page_light_commands_answer_in_half_a_second() -> None:
    _, *lines = rows(PAGE.read_text(encoding="utf-8"), "light-commands")
    times = {line[0].strip("`"): float(line[5]) for line in lines}
    assert times.keys() == {*OWN, *PEERS}
    assert max(times["cloudops --help"], times["cloudops scenarios"]) < 1.0
    seconds = {line[0].strip("`"): float(line[1]) for line in lines}
    assert max(seconds[name] for name in OWN) < 0.5


@pytest.mark.parametrize("asked", [["nothing"], ["--rounds", "0"], ["--page", "no/such/page.md"]])
def test_what_cannot_be_measured_is_refused(asked: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(asked)
    assert ended.value.code == 2


@pytest.mark.slow
def test_the_light_commands_are_measured_from_end_to_end(tmp_path: Path) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text("\n".join(marks("light-commands")) + "\n")
    assert main(["light-commands", "--rounds", "1", "--page", str(page), "--json", str(results)]) == 0
    told = json.loads(results.read_text())
    assert tuple(told["benchmarks"]["light-commands"]) == BENCHMARKS["light-commands"].rows
    assert rows(page.read_text(), "light-commands")[0] == HEADINGS
