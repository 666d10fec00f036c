"""The checks that `make mutations` takes away are where its list says that they are, and no guard is on no list."""

import re

import pytest

from evals.guards import guards
from evals.inline_checks import INLINE
from evals.mutations import MARK, PAGE, ROOT, TESTS, mutants, page_of
from evals.no_checks import GUARDED, NO_CHECK


def test_every_check_that_is_to_be_taken_away_is_found_and_makes_a_difference() -> None:
    found = list(mutants())

    names = [(one.kind, one.name) for one in found]
    assert len(set(names)) == len(names)
    assert {label for label, _, _, _ in INLINE} <= {one.name for one in found}
    assert all(standing != instead for _, _, standing, instead in INLINE)
    assert all((ROOT / one.path).read_text() != one.text for one in found)
    assert all((ROOT / name.partition("::")[0]).is_file() for name in TESTS)


def test_every_guard_in_the_source_is_on_the_page_or_said_to_be_no_check() -> None:
    """So a guard that is new has no row: `make mutations` makes one, and ends with 1 when no test notices it."""
    listed = re.sub(r"(?m)^(\| `.*` \| [a-z ]+ \|) .* \|$", r"\1", PAGE.read_text().partition(MARK)[2])
    wanted = page_of([(one, "a test") for one in mutants()]).partition(MARK)[2]

    assert listed == re.sub(r"(?m)^(\| `.*` \| [a-z ]+ \|) .* \|$", r"\1", wanted), (
        "run `make mutations`, or for what is new alone `python -m evals.mutations --new`"
    )


def test_what_is_no_check_says_why_and_stands_in_the_source() -> None:
    for path, name, why in NO_CHECK:
        assert path in GUARDED and len(why) > 20
        assert name in {one.name for one in guards((ROOT / path).read_text())}


@pytest.mark.parametrize("path", GUARDED)
def test_one_more_refusal_in_a_source_is_one_more_guard(path: str) -> None:
    text = (ROOT / path).read_text()
    more = "\n\ndef late(said):\n    if said:\n        return said\n    raise LookupError\n"

    assert {one.name for one in guards(text + more)} == {one.name for one in guards(text)} | {"late: if said"}


@pytest.mark.parametrize(
    ("body", "without"),
    [
        ("if a or b:\n  return 'no'", ["if False or b:\n  return 'no'", "if a or False:\n  return 'no'"]),
        ("if a and b:\n  raise E", ["if False:\n  raise E"]),
        ("if a and b:\n  return None", ["if True and b:\n  return None", "if a and True:\n  return None"]),
        ("if a:\n  return", ["if True:\n  return"]),
        ("try:\n  g()\nexcept E:\n  return None", ["try:\n  g()\nexcept ():\n  return None"]),
        ("return None if a else 'no'", ["return None if True else 'no'"]),
        ("return 'é' if a else None", ["return 'é' if False else None"]),
        ("return a and b", ["return True and b", "return a and True"]),
        ("return a or b", []),
        (
            "return [x for x in a if x and b]",
            ["return [x for x in a if True and b]", "return [x for x in a if x and True]"],
        ),
        ("return all(x for x in a if x or b)", ["return all(x for x in a if True)"]),
        ("if a:\n  g()", []),
        ("if a:\n  g()\nelif b:\n  return 'no'", ["if a:\n  g()\nelif False:\n  return 'no'"]),
    ],
)
def test_a_guard_is_taken_away_alone(body: str, without: list[str]) -> None:
    lines = [f"  {line}" for line in body.split("\n")]
    found = guards("\n".join(["def f():", *lines]))

    taken = ["\n".join(line[2:] for line in one.without.split("\n")[1:]) for one in found]
    assert taken == without


def test_two_guards_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="f: if a"):
        guards("def f(a):\n  if a:\n    return 1\n  if a:\n    return 2\n")
