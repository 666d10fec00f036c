"""Take away one `forbid` or one check at a time, and see that a test notices. `make mutations` writes the list.

Each mutant is a copy of the tree, by links, in which one file differs. Its tests run in a process that is forked
after the libraries were imported and before any of our own modules.
"""

import argparse
import importlib
import os
import re
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from evals.guards import guards
from evals.inline_checks import INLINE
from evals.no_checks import GUARDED, NO_CHECK
from evals.noticing import NEAREST, TESTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "policies.md"
MARK = "<!-- From here on made by `make mutations`. -->"
LIBRARIES = (
    "pytest",
    "hypothesis",
    "pydantic",
    "cedarpy",
    "boto3",
    "botocore.client",
    "botocore.exceptions",
    "httpx",
)
# What draws hundreds of examples would only repeat what the rest finds, and lists of checks notice any change.
LEFT_OUT = " and ".join(
    f"not {name}"
    for name in (
        "at_most_once",
        "three_hundred",
        "stored_account_only",
        "has_a_case",
        "tried_below",
        "decides_something",
    )
)
WORDS = ("-x", "-q", "-n", "0", "--tb=no", "-rfE", "-m", "not slow")
# Plugins of pytest that these tests do without, and that take half of a short run to be imported.
UNASKED = ("cacheprovider", "langsmith_plugin", "anyio")
# A tuple of checks, and the file that it stands in.
TUPLES = (
    ("tools/authority.py", "CHECKS"),
    ("tools/authority.py", "OF_AN_APPROVAL"),
    ("tools/undo.py", "CHECKS"),
)


@dataclass(frozen=True)
class Mutant:
    """One thing taken away from one file."""

    kind: str
    name: str
    path: str
    text: str


def mutants(root: Path = ROOT) -> Iterator[Mutant]:
    """Yield every mutant there is; what INLINE names and does not find is an error."""
    for path in sorted((root / "tools" / "policies").glob("*.cedar")):
        yield from _without_forbids(path.relative_to(root).as_posix(), path.read_text())
    for name, variable in TUPLES:
        yield from _without_checks(name, variable, (root / name).read_text())
    named = tuple(_inline(root))
    yield from named
    yield from _without_guards(root, {one.text for one in named})


def _inline(root: Path) -> Iterator[Mutant]:
    for label, name, standing, instead in INLINE:
        text = (root / name).read_text()
        if text.count(standing) != 1:
            raise LookupError(f"{name} does not hold {standing!r} once: mend evals/inline_checks.py")
        yield Mutant("check", label, name, text.replace(standing, instead))


def _without_guards(root: Path, taken: Set[str]) -> Iterator[Mutant]:
    """Yield every guard of the guarded sources that has no words of its own and is not named as no check."""
    for name in GUARDED:
        spared = {guard for path, guard, _ in NO_CHECK if path == name}
        text = (root / name).read_text()
        found = guards(text)
        whole = _taken_whole(name, text)
        per_check = Counter(one.function for one in found)
        if gone := spared - {one.name for one in found}:
            raise LookupError(f"{name} has no guard {', '.join(sorted(gone))}: mend evals/no_checks.py")
        for one in found:
            alone = one.function in whole and per_check[one.function] == 1
            if one.name not in spared and not alone and one.without not in taken:
                yield Mutant("guard", f"{Path(name).stem} {one.name}", name, one.without)


def _taken_whole(name: str, text: str) -> set[str]:
    """Return the checks of a source that stand in a tuple: the only guard of one is taken away with it."""
    tuples = [variable for path, variable in TUPLES if path == name]
    return {one.name for variable in tuples for one in _without_checks(name, variable, text)}


def _without_forbids(name: str, text: str) -> Iterator[Mutant]:
    parts = re.split(r"(?=^@id\()", text, flags=re.MULTILINE)
    for part in parts:
        found = re.match(r'@id\("([^"]+)"\)', part)
        if found and re.search(r"^forbid\b", part, re.MULTILINE):
            yield Mutant("forbid", found[1], name, "".join(one for one in parts if one is not part))


def _without_checks(name: str, variable: str, text: str) -> Iterator[Mutant]:
    start = re.search(rf"^{variable}\b[^=\n]*= \(\n", text, re.MULTILINE)
    if start is None:
        raise LookupError(f"{name} has no tuple {variable}")
    end = text.index("\n)", start.end())
    lines = text[start.end() : end + 1].splitlines(keepends=True)
    for line in lines:
        rest = "".join(one for one in lines if one is not line)
        owner = "undo" if name.endswith("undo.py") else "action" if variable == "CHECKS" else "approval"
        yield Mutant(
            f"check of an {owner}", line.strip(" ,\n"), name, text[: start.end()] + rest + text[end + 1 :]
        )


def overlay(root: Path, folder: Path, mutant: Mutant) -> None:
    """Link a tree into a folder, with one file in its place; compiled files that are older than it are not taken."""
    *parents, last = Path(mutant.path).parts
    here, there = root, folder
    for part in [*parents, last]:
        for entry in here.iterdir():
            if entry.name != part and entry.name not in {".venv", ".git"}:
                (there / entry.name).symlink_to(entry)
        here, there = here / part, there / part
        if part != last:
            there.mkdir()
    there.write_text(mutant.text)


def noticed_by(folder: Path, out: Path, nearest: Sequence[str] = ()) -> str:
    """Run the tests in a tree, in a process of their own; return the first that fails, or nothing.

    Those that are `nearest` to what was taken away are asked first.
    """
    return _ended(_begun(folder, out, nearest), out)


def _begun(folder: Path, out: Path, nearest: Sequence[str]) -> int:
    out.touch()
    pid = os.fork()
    if pid == 0:
        _run_tests(folder, out, nearest)
    return pid


def _ended(pid: int, out: Path) -> str:
    _, status = os.waitpid(pid, 0)
    said = out.read_text()
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    if failed:
        return failed[1]
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"the tests did not run: {said[-2000:]}")
    return ""


def _run_tests(folder: Path, out: Path, nearest: Sequence[str]) -> None:
    """Run the nearest, then all unless one of those failed, and end this process with what pytest says."""
    code = 70
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True
        for name in [
            one for one in sys.modules if one.partition(".")[0] in {"evals", "tests", "tools", "memory"}
        ]:
            del sys.modules[name]
        words = [*WORDS, *(word for one in UNASKED for word in ("-p", f"no:{one}")), "-k", LEFT_OUT]
        for asked in (dict.fromkeys(nearest), TESTS):
            code = int(importlib.import_module("pytest").main([*words, *asked])) if asked else 0
            if code != 0:
                break
    finally:
        os._exit(code)


def check(chosen: Sequence[Mutant], at_once: int = 1) -> list[tuple[Mutant, str]]:
    """Return, for every mutant, the test that noticed it; the tree as it stands has to pass first."""
    for name in LIBRARIES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutants-") as work:
        every = [one for near in NEAREST.values() for one in near]
        if by := noticed_by(ROOT, Path(work) / "out.txt", every):
            raise RuntimeError(f"{by} fails before anything was taken away")
        found, running, noticed = [], deque[tuple[Mutant, int, Path]](), _listed(PAGE.read_text())
        for number, mutant in enumerate(chosen):
            folder, out = Path(work) / str(number), Path(work) / f"{number}.txt"
            folder.mkdir()
            overlay(ROOT, folder, mutant)
            nearest = (*_standing(noticed.get(_row(mutant), "")), *NEAREST.get(mutant.path, ()))
            running.append((mutant, _begun(folder, out, nearest), out))
            if len(running) == at_once:
                found.append(_told(*running.popleft()))
        return found + [_told(*one) for one in running]


def _standing(listed: str) -> tuple[str, ...]:
    """Return the test that a row of the page names, where there still is one: what noticed once notices again."""
    file, _, test = (listed if listed.startswith("tests/") else f"tests/tools/{listed}").partition("::")
    name = test.partition("[")[0]
    stands = (ROOT / file).is_file() and f"def {name}(" in (ROOT / file).read_text()
    return (f"{file}::{name}",) if stands else ()


def _told(mutant: Mutant, pid: int, out: Path) -> tuple[Mutant, str]:
    by = _ended(pid, out)
    sys.stdout.write(f"{mutant.kind} {mutant.name}: {by or 'NOTICED BY NOBODY'}\n")
    sys.stdout.flush()
    return mutant, by


def page_of(found: Sequence[tuple[Mutant, str]]) -> str:
    """Return the list as it stands in the page."""
    lines = [
        MARK,
        "",
        f"{len(found)} taken away one at a time, {sum(not by for _, by in found)} noticed by no test.",
        "",
        "| taken away | of | the test that notices |",
        "|---|---|---|",
    ]
    lines += [f"{_row(one)} {_code(_short(by)) if by else 'none'} |" for one, by in found]
    lines += [
        "",
        f"A guard is where {', '.join(f'`{name}`' for name in GUARDED)} turn a caller away, or "
        "leave something out of what they go by. These let nothing through when they are lost, and are not taken away:",
        "",
        "| guard | why it is no check |",
        "|---|---|",
    ]
    lines += [f"| {_code(f'{Path(name).stem} {guard}')} | {why} |" for name, guard, why in NO_CHECK]
    return "\n".join(lines) + "\n"


def _row(mutant: Mutant) -> str:
    """Return how the row of a mutant begins: what is taken away, and of what."""
    return f"| {_code(mutant.name)} | {mutant.kind} |"


def _listed(text: str) -> dict[str, str]:
    """Return which test notices what, by how its row in a page begins."""
    return {row[1]: row[2] for row in re.finditer(r"^(\| `.+` \| [a-z ]+ \|) `(.+)` \|$", text, re.MULTILINE)}


def _code(text: str) -> str:
    return f"`{text.replace('|', '/')}`"


def _short(by: str) -> str:
    return by.removeprefix("tests/tools/")


def main(words: Sequence[str] | None = None) -> int:
    """Check every mutant, write the page unless told not to, and say 1 when one is noticed by nobody."""
    parser = argparse.ArgumentParser(prog="python -m evals.mutations", description=__doc__)
    parser.add_argument("--only", default="", help="names that hold this text; the page is not written then")
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="how many trees are tried at once"
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="try those alone that the page does not list; it keeps its other rows",
    )
    options = parser.parse_args(words)
    started = time.monotonic()
    chosen, text = [one for one in mutants() if options.only in one.name], PAGE.read_text()
    known = _listed(text) if options.new else {}
    tried = check([one for one in chosen if _row(one) not in known], max(1, options.at_once))
    now = {**known, **{_row(one): by for one, by in tried}}
    found = [(one, now[_row(one)]) for one in chosen]
    if not options.only:
        PAGE.write_text(text[: text.index(MARK)] + page_of(found))
    missed = [one.name for one, by in found if not by]
    seconds = time.monotonic() - started
    sys.stdout.write(f"{len(tried)} mutants in {seconds:.0f} s, missed: {', '.join(missed) or 'none'}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
