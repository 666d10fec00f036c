"""Run one Logs Insights query within what the incident may scan: estimated, narrowed or refused, and stopped."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.evidence import Gap
from memory.records.spend import Spend
from tools.errors import OverAllowance, error_code
from tools.evidence import Answer, Window
from tools.observe.log_cost import GroupSize, Keep, cost_text, size_of, size_text, together
from tools.observe.sources import Sources

POLL_SECONDS = 0.1
GIVE_UP_SECONDS = 20.0
ENDED = {"Complete", "Failed", "Cancelled", "Timeout"}
POINTER = "@ptr"
NOTHING = {"records_matched": 0, "rows": []}


@dataclass(frozen=True)
class LogQuery:
    """A query over log groups, and which end of its window matters when not all of it may be read.

    `size` says how large a single group is where that is being asked already, so that it is not asked again; an answer
    says why that could not be read. `share` is how much of what may still be scanned it may take.
    """

    groups: Sequence[str]
    text: str
    window: Window
    keep: Keep = Keep.END
    size: Callable[[], GroupSize | Answer] | None = None
    share: float = 1.0


@dataclass(frozen=True)
class _Permit:
    """A query that may run: over which window, and what it was estimated at."""

    window: Window
    reserved: int
    gaps: tuple[Gap, ...] = ()
    detail: str = ""


def run_query(sources: Sources, query: LogQuery) -> Answer:
    """Estimate, then run what may be paid for. Rows are `{"records_matched": int, "rows": [{field: value}]}`."""
    client, now = sources.access.client("logs"), sources.clock.now()
    known = query.size() if query.size else None
    if isinstance(known, Answer):
        return known
    sizes = {group: known or size_of(client, group, now) for group in query.groups}
    asked = 0 if known else len(sizes)
    absent = [group for group, size in sizes.items() if size is None]
    if absent:
        detail = f"there is no log group {' and no '.join(absent)}"
        return Answer(NOTHING, asked, gaps=(Gap.FAILED,), gap_detail=detail)
    permit = _permit(sources, together([size for size in sizes.values() if size]), query)
    if isinstance(permit, str):
        return Answer(NOTHING, asked, gaps=(Gap.REFUSED,), gap_detail=permit)
    answer = _run(sources, client, query, permit)
    return replace(
        answer,
        calls=answer.calls + asked,
        reserved=permit.reserved,
        window=permit.window,
        gaps=(*permit.gaps, *answer.gaps),
        gap_detail=" ".join(text for text in (permit.detail, answer.gap_detail) if text),
    )


def _permit(sources: Sources, size: GroupSize, query: LogQuery) -> _Permit | str:
    """Set aside what the query will scan; where that is too much, what a part of its window will."""
    budget, window = sources.recorder.budget, query.window
    estimated = size.bytes_in(window)
    chosen = window

    def fitting(most: int) -> int:
        nonlocal chosen
        part = size.fitting(window, most, query.keep)
        chosen = part or window
        return size.bytes_in(part) if part else 0

    allowed = None if query.share >= 1 else int(budget.left_bytes * query.share)
    reserved = budget.reserve(estimated, fitting, allowed)
    price = budget.prices.logs_scanned_gb_usd
    why = (
        f"{_span(window)} would scan about {cost_text(estimated, price)}, by the group's "
        f"{size_text(size.stored_bytes)} since {size.since:%Y-%m-%d %H:%M} UTC."
    )
    if reserved is None:
        return f"Not run: {why} {_rest(sources, size)}"
    if chosen == window:
        return _Permit(window, reserved)
    told = f"{why} Only {_span(chosen)} was read, about {cost_text(reserved, price)}. {_rest(sources, size)}"
    return _Permit(chosen, reserved, (Gap.NARROWED,), told)


def _rest(sources: Sources, size: GroupSize) -> str:
    """Say what may still be asked of a group of this size, by whoever asks next."""
    budget = sources.recorder.budget.incident
    limits = budget.limits
    left = min(budget.left_bytes, limits.query_bytes_scanned)
    minutes = int(left / max(size.bytes_a_second, 1e-9) / 60)
    said = (
        f"A query may scan {size_text(limits.query_bytes_scanned)}, this incident {size_text(budget.left_bytes)} more "
        f"and spend ${budget.left_usd:.2f} more."
    )
    if minutes < 1:
        return f"{said} No minute of this group fits: ask another source."
    return f"{said} Ask for at most {min(minutes, 720)} minutes; `ended_minutes_ago` moves the window back."


def _span(window: Window) -> str:
    return f"{window[0]:%Y-%m-%d %H:%M:%S} to {window[1]:%H:%M:%S} UTC"


def _run(sources: Sources, client: Any, query: LogQuery, permit: _Permit) -> Answer:
    """Run the query. What was set aside for it is given back when it was not begun, and spent when it was lost."""
    recorder = sources.recorder
    try:
        query_id = client.start_query(
            **_named(query.groups),
            queryString=query.text,
            startTime=int(permit.window[0].timestamp()),
            endTime=int(permit.window[1].timestamp()),
        )["queryId"]
    except (ClientError, BotoCoreError, OverAllowance):
        recorder.budget.release(permit.reserved)
        raise
    try:
        return _follow(sources, client, query_id, permit.reserved)
    except (ClientError, BotoCoreError):
        usd = recorder.budget.prices.of(permit.reserved, 0)
        recorder.charge(Spend(aws_calls=2, bytes_scanned=permit.reserved, usd=usd), permit.reserved)
        raise


def _named(groups: Sequence[str]) -> dict[str, Any]:
    return {"logGroupName": groups[0]} if len(groups) == 1 else {"logGroupNames": list(groups)}


def _follow(sources: Sources, client: Any, query_id: str, reserved: int) -> Answer:
    """Wait for a query's rows; it is stopped when it scans more than it may after all, or takes too long."""
    calls, give_up = 1, time.monotonic() + GIVE_UP_SECONDS
    while True:
        asked_at = time.monotonic()
        answer = client.get_query_results(queryId=query_id)
        calls += 1
        scanned = int(answer.get("statistics", {}).get("bytesScanned", 0))
        if answer["status"] in ENDED:
            break
        if not sources.recorder.budget.may_scan(scanned, reserved):
            _stop(client, query_id)
            told = f"Stopped at a limit, after {size_text(scanned)}; the estimate was {size_text(reserved)}."
            return Answer(_rows(answer), calls + 1, scanned, (Gap.TRUNCATED,), told)
        if time.monotonic() > give_up:
            _stop(client, query_id)
            told = f"The query did not end in {GIVE_UP_SECONDS:.0f} s and was stopped."
            return Answer(_rows(answer), calls + 1, scanned, (Gap.TIMED_OUT,), told)
        running = "The query was still running; these are the rows that it had found."
        sources.recorder.so_far(Answer(_rows(answer), calls, scanned, (Gap.TIMED_OUT,), running))
        # An answer that took its time is pause enough.
        time.sleep(max(0.0, asked_at + POLL_SECONDS - time.monotonic()))
    rows = _rows(answer)
    if answer["status"] != "Complete":
        return Answer(rows, calls, scanned, (Gap.FAILED,), f"The query ended as {answer['status']}.")
    if not rows["rows"]:
        return Answer(rows, calls, scanned, (Gap.NO_DATA,))
    left = _left_out(answer)
    return Answer(rows, calls, scanned, (Gap.TRUNCATED,) if left else (), left)


def _left_out(answer: dict[str, Any]) -> str:
    """Say where fewer lines were returned than match; a row with no pointer to a line stands for several.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html
    """
    lines = sum(any(cell["field"] == POINTER for cell in row) for row in answer["results"])
    matched = int(answer.get("statistics", {}).get("recordsMatched", 0))
    return f"{matched} lines match, and these are {lines} of them." if 0 < lines < matched else ""


def _stop(client: Any, query_id: str) -> None:
    """End a query; one that ended meanwhile cannot be stopped, which is as good."""
    try:
        client.stop_query(queryId=query_id)
    except ClientError as error:
        if error_code(error) != "InvalidParameterException":
            raise


def _rows(answer: dict[str, Any]) -> dict[str, Any]:
    rows = [{c["field"]: c["value"] for c in row if c["field"] != POINTER} for row in answer["results"]]
    matched = answer.get("statistics", {}).get("recordsMatched", 0)
    return {"records_matched": int(matched), "rows": rows}
