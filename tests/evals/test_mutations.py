"""The checks that `make mutations` takes away are where its list says that they are."""

from evals.inline_checks import INLINE
from evals.mutations import mutants


def test_every_check_that_is_to_be_taken_away_is_found_and_makes_a_difference() -> None:
    found = list(mutants())

    names = [(one.kind, one.name) for one in found]
    assert len(set(names)) == len(names)
    assert {label for label, _, _, _ in INLINE} <= {one.name for one in found}
    assert all(standing != instead for _, _, standing, instead in INLINE)
