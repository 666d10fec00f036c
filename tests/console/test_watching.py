"""The bars of `cloudops sim watch`: what is healthy looks healthy."""

from console.watching import sparkline


def test_bars_are_as_high_as_their_share_of_the_largest() -> None:
    assert sparkline([0, 4, 8]) == "▁▅█"


def test_a_minute_without_a_value_is_a_gap() -> None:
    assert sparkline([8, None, 8]) == "█ █"


def test_a_few_are_small_beside_what_would_be_many() -> None:
    assert sparkline([0, 1, 2], least=12) == "▁▁▂"
    assert sparkline([0, 1, 24], least=12) == "▁▁█"


def test_nothing_at_all_is_no_bar() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, None, 0]) == "▁ ▁"
