"""The report is one file that needs no network, shows what happened, and escapes what it quotes."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from console.layering import Edge, place
from console.plot import draw, nice
from console.report import render
from console.series import Mark, Plot
from console.text import plain
from tests.console.conftest import PlayedIncident

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VOID = {"meta", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """Collects ids, links and what would be loaded; checks that tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in {"script", "link", "img", "iframe", "object", "image", "use"} or "src" in given:
            self.loads.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_report_loads_nothing_and_is_well_formed(played: PlayedIncident) -> None:
    page = Page(played.report)
    assert page.open == []
    assert page.loads == []
    assert all(link.startswith("#") for link in page.links)
    style = played.report.split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_every_cited_observation_is_in_the_report(played: PlayedIncident) -> None:
    page = Page(played.report)
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= page.ids
    cited = {i for h in played.record["assessment"]["hypotheses"] for i in h["evidence_for"]}
    assert cited <= page.ids


def test_a_citation_says_what_was_seen_and_links_to_it(played: PlayedIncident) -> None:
    cited = played.record["assessment"]["hypotheses"][0]["evidence_for"][0]
    found = re.search(rf'for: .*?<a href="#{cited}" title="{cited}">([^<]+)</a>', played.report)
    assert found is not None
    assert not found[1].startswith("ev-")


def test_messages_are_in_the_order_they_went_out(played: PlayedIncident) -> None:
    told = played.report.split("<h2>Messages</h2>")[1].split("<h2>")[0]
    subjects = re.findall(r"checkout-5xx: ([a-z ]+?) <", told)
    assert subjects == ["first look", "your decision is needed", "resolved"]


def test_the_plot_marks_onset_change_alarm_action_and_recovery(played: PlayedIncident) -> None:
    drawing = re.search(r'<svg class="plot".*?</svg>', played.report, re.S)
    assert drawing is not None
    for kind in ("onset", "change", "alarm", "action", "recovery"):
        assert f'class="mark {kind}"' in drawing[0], kind
    assert 'class="threshold"' in drawing[0]
    assert 'class="line"' in drawing[0]


def test_the_report_tells_what_was_done_told_and_spent(played: PlayedIncident) -> None:
    for words in ("ecs_rollback_service", "the alarm returned to OK", "model calls", "AWS reads", "on-call"):
        assert words in played.report


def test_a_report_made_again_from_what_is_stored_is_the_same_to_the_byte(played: PlayedIncident) -> None:
    files = sorted((played.desk.out / played.incident_id).iterdir())
    before = [file.read_bytes() for file in files]
    played.records().clock.wait_until(played.records().clock.now() + timedelta(minutes=2))

    for _ in range(2):
        done = played.desk.run("report", played.incident_id[:8])
        assert done.returncode == 0, done.stderr
        assert "report.html" in done.stdout
        assert [file.read_bytes() for file in files] == before


def test_the_report_shows_the_evidence_of_the_record_and_no_other(played: PlayedIncident) -> None:
    shown = {one for one in Page(played.report).ids if re.fullmatch(r"ev-[0-9a-f]{12}", one)}
    assert shown == {reference["evidence_id"] for reference in played.record["evidence"]}


def _plot(values: list[float], marks: tuple[Mark, ...] = ()) -> Plot:
    points = tuple((START + timedelta(minutes=i), v) for i, v in enumerate(values) if v >= 0)
    return Plot("Shop Errors, Sum", points, marks, 20.0, timedelta(minutes=1))


def test_a_gap_in_the_data_breaks_the_line() -> None:
    assert draw(_plot([1, 2, 3, -1, -1, 4, 5]), 880).count("<polyline") == 2
    assert draw(_plot([1, 2, 3]), 880).count("<polyline") == 1


@pytest.mark.parametrize("width", [400, 880])
def test_labels_never_overlap_in_a_row(width: int) -> None:
    marks = tuple(Mark(START + timedelta(minutes=i), "action", f"action {i}: a_long_name") for i in range(12))
    drawing = draw(_plot([1.0] * 12, marks), width)
    texts = re.findall(
        r'<text class="mark-text action" x="([\d.]+)" y="(\d+)" text-anchor="(\w+)">(.*?)<', drawing
    )
    assert len(texts) == 12
    rows: dict[str, list[tuple[float, float]]] = {}
    for x, y, anchor, text in texts:
        length = len(text) * 6.5
        start = float(x) if anchor == "start" else float(x) - length
        rows.setdefault(y, []).append((start, start + length))
    for extents in rows.values():
        ordered = sorted(extents)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(ordered))


def test_what_a_label_quotes_is_escaped() -> None:
    hostile = Mark(START, "change", 'change: <script>alert("x")</script>')
    drawing = draw(_plot([1, 2, 3], (hostile,)), 880)
    assert "<script" not in drawing
    assert "&lt;script&gt;" in drawing


def test_no_control_character_reaches_the_terminal() -> None:
    assert plain("a\x1b[2Jb\x07\tc\nd") == "a�[2Jb� c\nd"


def test_scales_end_on_round_numbers() -> None:
    assert [nice(v) for v in (0, 0.7, 1, 7.3, 65, 210)] == [1, 0.8, 1, 8, 80, 240]


def test_forward_edges_go_down_and_cycles_are_kept_apart() -> None:
    edges = [Edge("a", "b"), Edge("b", "c"), Edge("c", "a"), Edge("a", "c"), Edge("b", "b")]
    placed = place("a", edges, 100, 50)
    assert placed.backward == {Edge("c", "a"), Edge("b", "b")}
    assert placed.nodes["a"].y < placed.nodes["b"].y < placed.nodes["c"].y
    assert set(placed.paths) == set(edges)


def test_the_report_names_everybody_who_approved(played: PlayedIncident) -> None:
    records = played.records()
    record = records.incidents.record(played.incident_id)
    assert record is not None and record.decision is not None
    last = record.decision
    first = last.model_copy(update={"by": last.by.model_copy(update={"id": "grace"}), "reason": "seen first"})

    page = render(records, record.model_copy(update={"decisions": (first, last)}))

    assert "<dt>Approved by</dt><dd>grace by" in page and "seen first" in page
    assert page.count("<dt>Approved by</dt>") == 2
