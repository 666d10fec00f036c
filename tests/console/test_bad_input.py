"""What a command says to what it cannot use: one sentence with the remedy, and never a traceback."""

import errno
import os
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from typer.testing import CliRunner

import cli
from console.failures import told
from console.listing import Listed, list_incidents
from console.reading import Shelf
from console.whole import NotWrittenError, write_whole
from evals.run import main
from tools.errors import Misconfigured


def said(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_a_file_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, and no folder")
    where = tmp_path / "taken" / "graph.svg"
    code, out, err = said("graph", "--svg", str(where))
    assert (code, out) == (1, "")
    assert err == f"{where}: Not a directory\n"


@pytest.mark.parametrize("after", ["nope", "2026-11-23", "2026-11-23T09:00:00.000000Z", "#", "x#y"])
def test_a_next_page_that_no_page_named_is_refused(after: str) -> None:
    with pytest.raises(Misconfigured, match="--after"):
        list_incidents(cast(Shelf, None), Listed(after=after), as_json=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scenario", "bad-deployment"), "unrecognized arguments: --scenario"),
        (("--scenarios", "/nope"), "no scenarios in /nope; there are: none"),
        (("nope",), "no scenario nope; there are: bad-deployment"),
    ],
)
def test_an_evaluation_of_what_is_not_there_says_so(
    arguments: tuple[str, ...], told: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 2
    assert told in capsys.readouterr().err


def test_a_long_sentence_is_not_folded_where_nobody_looks() -> None:
    code, _, err = said("demo", "--scenarios", "/nope", "--json")
    assert code == 2
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "No space left on device"),
        (errno.EROFS, "Read-only file system"),
        (errno.EDQUOT, "quota"),
    ],
)
def test_a_full_disk_is_told_with_the_remedy_and_no_traceback(number: int, said: str, capsys: Any) -> None:
    with pytest.raises(typer.Exit) as end, told():
        raise OSError(number, os.strerror(number))
    assert end.value.exit_code == 1
    err = capsys.readouterr().err
    assert said in err and "CLOUDOPS_STATE_DIR" in err and "run the command again" in err


def test_an_error_of_the_system_that_is_a_defect_is_seen_whole() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"), told():
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "incident.json"
    write_whole(file, "first")
    (tmp_path / "incident.json.part").mkdir()
    with pytest.raises(
        NotWrittenError, match=r"incident\.json could not be written \(Is a directory\).*cloudops report"
    ):
        write_whole(file, "second")
    assert file.read_text() == "first"
