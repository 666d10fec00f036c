"""Public incidents and series, written by nobody here, through the analysis of the first look."""

from pathlib import Path

import pytest

from evals.incidents import HEALTHY, INCIDENTS, judge
from evals.metrics import METRICS
from evals.metrics import judge as judge_series
from evals.public_data import DATA, PublicData

ROOT = Path(__file__).parents[2]
FOUND = next((path for path in (DATA, ROOT.parents[1] / "shared" / "data") if path.is_dir()), None)
needs_data = pytest.mark.skipif(FOUND is None, reason=f"the public data is not here: {DATA}")


@needs_data
def test_most_incidents_get_their_category_and_what_is_healthy_is_healthy() -> None:
    assert FOUND is not None
    judged = judge(FOUND / "incidents")
    assert len(judged) == 10
    assert sum(one.is_right for one in judged) >= 8
    assert [one.found for one in judged if one.expected == HEALTHY] == [HEALTHY, HEALTHY]


@needs_data
def test_every_labelled_window_is_hit_and_little_else_is_flagged() -> None:
    assert FOUND is not None
    for one in judge_series(FOUND / "metrics"):
        assert one.ours.hits == one.ours.windows, one
        assert one.ours.false_a_day <= 0.5, one


@pytest.mark.parametrize("data", [INCIDENTS, METRICS], ids=lambda one: one.name)
def test_where_the_data_is_absent_it_says_so(
    data: PublicData[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert data.run(["--data", str(tmp_path), "--page", str(tmp_path / "none.md")]) == 1
    said = "".join(capsys.readouterr().out.split())
    assert f"{tmp_path.name}/{data.name};nametheoneitisinwith--data" in said


@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)])
def test_what_was_judged_is_written_into_its_place_and_ends_by_how_good_it_is(
    tmp_path: Path, right: bool, code: int
) -> None:
    (tmp_path / "cases").mkdir()
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench cases -->\nold\n<!-- end cases -->\nafter\n", encoding="utf-8")
    cases = PublicData(
        "cases", None, lambda folder: [folder.name], lambda judged: f"judged {judged[0]}", lambda _: right
    )
    assert cases.run(["--data", str(tmp_path), "--page", str(page)]) == code
    written = page.read_text(encoding="utf-8")
    assert "judged cases" in written and "old" not in written and "after" in written


def test_no_rule_names_a_case() -> None:
    names = ("payments-api", "payments-prod", "orders-prod", "catalog-prod", "cc0c53", "257a54", "8c0756")
    for path in (
        *(ROOT / "tools").rglob("*.py"),
        ROOT / "evals" / "incidents.py",
        ROOT / "evals" / "metrics.py",
    ):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in names if name in text], path
