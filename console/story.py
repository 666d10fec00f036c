"""Tell an incident in the terminal, entry by entry, as its timeline says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from console.asked import told_request
from console.reading import Shelf
from console.text import (
    SEVERITY_STYLE,
    STATUS_STYLE,
    amount,
    clock_time,
    full_time,
    plain,
    share,
    span,
    styled,
)
from memory.records.assessment import Assessment, FirstLook, Hypothesis
from memory.records.evidence import Evidence
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.message import Message, MessageState
from memory.records.outcome import Execution, ExecutionState, Verification
from memory.records.plan import Plan, Review, Ruling
from memory.records.timeline import EntryKind, TimelineEntry

INDENT = 10
CITED = 3
RULING_STYLE = {Ruling.PERMIT: "green", Ruling.ASK: "magenta", Ruling.REFUSE: "red"}


@dataclass(frozen=True)
class Story:
    """Prints timeline entries, and the sum at the end."""

    console: Console
    records: Shelf

    def tell(self, entry: TimelineEntry) -> None:
        """Print one entry with what belongs to it."""
        self._print_line(clock_time(entry.at), _line(entry))
        for block in self._details(entry):
            self.console.print(Padding(block, (0, 0, 0, INDENT)))

    def _print_line(self, at: str, text: Text) -> None:
        """Print what fits as it is; only what has to be folded needs a table, which takes longer to lay out."""
        whole = Text.assemble((f"{at}  ", "dim"), text)
        if whole.cell_len <= self.console.width and "\n" not in whole.plain:
            self.console.print(whole)
            return
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(style="dim", no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(at, text)
        self.console.print(line)

    def _details(self, entry: TimelineEntry) -> list[RenderableType]:
        facts = entry.facts
        match entry.kind:
            case EntryKind.FIRST_LOOK if "first_look" in facts:
                look = FirstLook.model_validate(facts["first_look"])
                return [self._evidence(entry), _look(look)]
            case EntryKind.ASSESSMENT if "assessment" in facts:
                return [_assessment(Assessment.model_validate(facts["assessment"]))]
            case EntryKind.PLAN if "plan" in facts:
                return [_plan(Plan.model_validate(facts["plan"]))]
            case EntryKind.REVIEW if "review" in facts:
                return [_review(Review.model_validate(facts["review"]))]
            case EntryKind.ACTION | EntryKind.REVERT if "execution" in facts:
                return [_execution(Execution.model_validate(facts["execution"]))]
            case EntryKind.VERIFICATION if "verification" in facts:
                return [_verification(Verification.model_validate(facts["verification"]))]
            case _:
                return []

    def _evidence(self, entry: TimelineEntry) -> Table:
        scope = self.records.incidents.scope_of(entry.incident_id)
        table = _table("evidence", "what was seen", "asked of")
        for seen in sorted(self.records.evidence.all(scope, entry.incident_id), key=told_title):
            gaps = ", ".join(gap.value for gap in seen.gaps)
            title = styled(told_title(seen))
            if gaps:
                title.append(f"  {gaps}", "yellow")
            if seen.flags:
                title.append(f"  {', '.join(seen.flags)}", "red")
            table.add_row(styled(seen.evidence_id, "dim"), title, f"{seen.source}:{seen.operation}")
        return table

    def sum_up(self, record: IncidentRecord) -> None:
        """Print how it stands: status, who was told, what it cost."""
        incident = record.incident
        self.console.print()
        head = Text.assemble(
            (record.status.value, STATUS_STYLE.get(record.status, "bold")),
            ("  severity ", "dim"),
            (
                record.severity.value if record.severity else "not rated",
                SEVERITY_STYLE[record.severity] if record.severity else "",
            ),
            ("  incident ", "dim"),
            incident.incident_id,
        )
        self.console.print(head)
        if record.reason:
            self.console.print(styled(record.reason))
        if record.closed_at:
            lasted = span(record.closed_at - incident.opened_at)
            self.console.print(styled(f"{lasted} from the event to the end, by the account's clock", "dim"))
        if record.approval and record.status is Status.AWAITING_APPROVAL:
            self.console.print()
            self.console.print(told_request(record.approval, record, self.console.width), soft_wrap=True)
        self._messages(record)
        self._cost(record)

    def _messages(self, record: IncidentRecord) -> None:
        if not record.messages:
            self.console.print(styled("\nno message was sent", "dim"))
            return
        table = _table("told", "whom", "subject", "")
        incident = record.incident
        entries = self.records.timeline.entries(incident.scope, incident.incident_id)
        for message in as_told(record, entries):
            state = "sent" if message.state is MessageState.SENT else message.state.value
            style = "green" if message.state is MessageState.SENT else "yellow"
            when = clock_time(message.sent_at or message.queued_at)
            table.add_row(
                styled(when, "dim"),
                styled(message.audience.value.replace("_", "-")),
                styled(message.subject),
                styled(f"{state} by {message.channel}", style),
            )
        self.console.print()
        self.console.print(table)

    def _cost(self, record: IncidentRecord) -> None:
        self.console.print(Text("\ncost  ", "bold").append(cost(record), ""))
        prices = f"at prices listed on {self.records.settings.prices.as_of}"
        models = ", ".join(dict.fromkeys(use.model_id for use in record.models)) or "no model"
        self.console.print(styled(f"      {models}; {prices}", "dim"))


def as_told(record: IncidentRecord, entries: Iterable[TimelineEntry]) -> list[Message]:
    """Return the messages in the order they went out: several may share one time of the account's clock."""
    told = {e.facts.get("send_key"): e.sequence for e in entries if e.kind is EntryKind.MESSAGE}
    return sorted(record.messages, key=lambda m: told.get(m.send_key, 0))


def told_title(seen: Evidence) -> str:
    """Return what was seen, with the dimensions that tell one metric of a name from another."""
    dimensions = seen.asked.get("dimensions")
    if not isinstance(dimensions, dict) or not dimensions:
        return seen.title
    return f"{seen.title} of {', '.join(str(value) for value in dimensions.values())}"


def cost(record: IncidentRecord) -> str:
    """Return what an incident cost, in one line."""
    spend = record.spend
    tokens = f"{spend.input_tokens:,} tokens in, {spend.output_tokens:,} out"
    calls = f"{spend.model_calls} model calls, {spend.tool_calls} tool calls, {spend.aws_calls} AWS reads"
    looks = f"{spend.guard_calls} guard calls of {spend.guard_units} text units"
    guessed = f", {spend.estimated_calls} calls estimated" if spend.estimated_calls else ""
    return f"{calls}; {looks}; {tokens}; ${spend.usd:.4f}{guessed}"


def _line(entry: TimelineEntry) -> Text:
    line = Text()
    match entry.kind:
        case EntryKind.STEP_STARTED:
            return line.append("▸ ", "cyan").append(plain(entry.step), "cyan")
        case EntryKind.STEP_ENDED:
            return _ended(line, entry)
        case EntryKind.STEP_FAILED:
            return line.append("✗ ", "red").append(plain(entry.text), "red")
        case EntryKind.OPENED:
            return line.append("● ", "red").append(plain(entry.text), "bold")
        case EntryKind.CLOSED:
            return line.append("■ ", "green").append(plain(entry.text), "bold")
        case EntryKind.DECISION | EntryKind.APPROVAL_REQUESTED | EntryKind.APPROVAL_EXPIRED:
            return line.append("● ", "magenta").append(plain(entry.text), "magenta")
        case (
            EntryKind.ACTION | EntryKind.REVERT | EntryKind.PLAN | EntryKind.ASSESSMENT | EntryKind.FIRST_LOOK
        ):
            return line.append("  ").append(plain(entry.text), "bold")
        case _:
            return line.append("  ").append(plain(entry.text))


def _ended(line: Text, entry: TimelineEntry) -> Text:
    seconds = entry.facts.get("seconds", 0)
    waits = entry.facts.get("waiting_for")
    if waits == "time":
        text = f"{entry.step} waits until {str(entry.facts.get('wake_at', ''))[11:19]}"
        return line.append("◷ ", "blue").append(plain(text), "blue")
    if waits:
        return line.append("◷ ", "magenta").append(plain(f"{entry.step} waits for {waits}"), "magenta")
    return line.append("✓ ", "green").append(plain(entry.step), "green").append(f"  {seconds:.1f} s", "dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, no_wrap=index == 0, overflow="fold")
    return table


def _pairs(*pairs: tuple[str, RenderableType | str | None]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, ""):
            table.add_row(name, styled(value) if isinstance(value, str) else value)
    return table


def _look(look: FirstLook) -> Table:
    measured = _table("service", "errors before", "errors", "p99 before", "p99")
    for impact in look.impacts:
        measured.add_row(
            styled(impact.component, "bold" if impact.component in look.affected else ""),
            share(impact.error_share_before),
            share(impact.error_share),
            f"{amount(impact.latency_ms_before)} ms",
            f"{amount(impact.latency_ms)} ms",
        )
    severity = Text.assemble(
        (look.severity.value, SEVERITY_STYLE[look.severity]), (f"  {plain(look.severity_reason)}", "dim")
    )
    return _pairs(
        ("onset", full_time(look.onset) if look.onset else "not found"),
        ("severity", severity),
        ("verdict", look.verdict.value),
        ("affected", ", ".join(look.affected) or "nothing"),
        ("not checked", "; ".join(look.not_checked)),
        ("impact", measured if look.impacts else None),
    )


def _assessment(assessment: Assessment) -> Table:
    by = "a model, on stored evidence" if assessment.by_model else "code alone: the first look stands"
    hypotheses = _table("", "hypothesis", "evidence")
    for hypothesis in assessment.hypotheses:
        hypotheses.add_row(_bar(hypothesis.confidence), _hypothesis(hypothesis), _cited(hypothesis))
    return _pairs(
        ("verdict", f"{assessment.verdict.value}, by {by}"),
        ("path", " → ".join(assessment.causal_path)),
        ("hypotheses", hypotheses if assessment.hypotheses else None),
        ("not checked", "; ".join(assessment.not_checked)),
    )


def _hypothesis(hypothesis: Hypothesis) -> Text:
    change = f" ({plain(hypothesis.change)})" if hypothesis.change else ""
    text = Text(f"{hypothesis.kind.value} of {plain(hypothesis.component)}{change}: ", "bold")
    return text.append(plain(hypothesis.statement), "not bold")


def _cited(hypothesis: Hypothesis) -> Text:
    text = Text()
    sides = (("+", hypothesis.evidence_for, "green"), ("−", hypothesis.evidence_against, "red"))
    for sign, ids, style in sides:
        for evidence_id in ids[:CITED]:
            text.append(f"{sign}{plain(evidence_id)}\n", style)
        if len(ids) > CITED:
            text.append(f"{sign}{len(ids) - CITED} more\n", style)
    text.rstrip()
    return text


def _bar(confidence: float) -> Text:
    full = round(confidence * 5)
    return Text(f"{'█' * full}{'░' * (5 - full)} {confidence:.2f}", "cyan")


def _plan(plan: Plan) -> Table:
    if not plan.actions:
        return _pairs(("no action", plan.no_action_reason), *_around(plan))
    pairs: list[tuple[str, RenderableType | str | None]] = []
    for number, action in enumerate(plan.actions, 1):
        pairs += [
            (f"action {number}", f"{action.action}({_arguments(action.parameters)})"),
            ("answers", action.cause),
            ("wrong if", action.falsified_by),
        ]
    return _pairs(
        *pairs, ("expected", plan.expected_effect), ("runbooks", ", ".join(plan.runbooks)), *_around(plan)
    )


def _around(plan: Plan) -> list[tuple[str, RenderableType | str | None]]:
    """What was considered and left, what has drifted, and what was done before: each line only where there is any."""
    left = "; ".join(f"{one.action or one.cause}: {one.why_not}" for one in plan.considered)
    gone = "; ".join(map(str, plan.drift))
    past = "; ".join(f"{one.incident_id[:8]} {one.status} ({one.outcome})" for one in plan.similar)
    return [("left", left if plan.actions else None), ("drifted", gone), ("before", past)]


def _arguments(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _review(review: Review) -> Table:
    return _pairs(
        ("ruling", styled(review.ruling.value, RULING_STYLE[review.ruling])),
        ("by policy", ", ".join(review.policy_ids)),
        ("touches", review.blast_radius),
        ("undone by", review.way_back),
    )


def _execution(execution: Execution) -> Table:
    style = "green" if execution.state in {ExecutionState.DONE, ExecutionState.REVERTED} else "red"
    return _pairs(
        ("state", styled(execution.state.value, style)),
        ("with", _arguments(execution.parameters)),
        ("answer", _arguments(execution.answer)),
        ("undo", _arguments(execution.inverse)),
    )


def _verification(verification: Verification) -> Table:
    values = None
    if verification.value_before is not None and verification.value_after is not None:
        values = f"{amount(verification.value_before)} → {amount(verification.value_after)}"
    return _pairs(("alarm", verification.alarm_state), ("metric", values))
