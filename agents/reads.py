"""Read tools as a model holds them for one piece of work: within the incident, each question once, never in circles.

Nothing is remembered from one piece of work to the next, so what is read after an action is read anew.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NoReturn

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import ValidationError

from agents.asked_before import mark_of, part_of, place_of
from agents.errors import WentInCircles
from agents.forms import told_schema
from agents.observations import Observations
from agents.prompting import tool_text
from tools.errors import CopilotError
from tools.observe.sources import Question, ReadTool, Sources
from tools.reach import Reach

# How often the same part may be asked about in other ways, how often a place under all names that are free to choose,
# such as those of its metrics, and how often a read may be turned down in all.
MOST_ON_A_PART = 4
MOST_AT_A_PLACE = 12
MOST_TURNED_DOWN = 5


@dataclass
class Reads:
    """The reads of one piece of work: answers them, turns down what repeats or strays, and says so for the record."""

    sources: Sources
    seen: Observations
    reach: Reach
    _answered: dict[str, str] = field(default_factory=dict)
    _parts: Counter[str] = field(default_factory=Counter)
    _places: Counter[str] = field(default_factory=Counter)
    _order: list[str] = field(default_factory=list)
    _turned_down: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def stops(self) -> tuple[str, ...]:
        """Say what was turned down, by tool and reason; what was asked for is not repeated."""
        with self._lock:
            turned_down = sorted(self._turned_down.items())
        return tuple(f"{tool}: {times} {reason}" for (tool, reason), times in turned_down)

    def bound(self, tool: ReadTool) -> BaseTool:
        """Return a read tool that a model can call for this incident; its failure is an answer too."""

        def read(**asked: Any) -> str:
            try:
                question = tool.question.model_validate(asked)
            except ValidationError as problem:
                said = "; ".join(
                    f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors()
                )
                self._turn_down(tool, "asked in a way that the tool does not know", said)
            self._allow(tool, question)
            try:
                evidence = tool.ask(self.sources, question)
            except CopilotError as problem:
                raise ToolException(str(problem)) from problem
            with self._lock:
                self._answered[mark_of(tool.name, question)] = evidence.evidence_id
            return tool_text({"observation": self.seen.show(evidence, self.sources.limits.tool_result_chars)})

        return StructuredTool.from_function(
            read,
            name=tool.name,
            description=tool.description,
            args_schema=told_schema(tool.question),
            handle_tool_error=True,
        )

    def _allow(self, tool: ReadTool, question: Question) -> None:
        """Turn a read down with the reason, or let it pass; a model that does not stop is stopped."""
        refusal = self.reach.refusal(question)
        if refusal:
            self._turn_down(tool, "refused, outside the incident", refusal)
        known, again, circles, often = self._noted(tool, question)
        if again:
            kind = "asked again, back and forth" if circles else "asked again"
            hint = f" as {known}" if known else ""
            self._turn_down(
                tool, kind, f"this was read already{hint}, and nothing was changed since: use it, or answer"
            )
        if often:
            kind = f"asked of the same {often} once too often"
            self._turn_down(tool, kind, f"this {often} was asked about often enough: answer by what you have")

    def _noted(self, tool: ReadTool, question: Question) -> tuple[str, bool, bool, str]:
        """Note a question; return its answer so far, whether it came before and in turns, and what had enough."""
        mark, part = mark_of(tool.name, question), part_of(tool.name, question)
        place = place_of(tool.name, question)
        with self._lock:
            again = mark in self._order
            circles = again and self._order[-2:-1] == [mark] and self._order[-1] != mark
            self._order.append(mark)
            self._parts[part] += not again
            self._places[place] += not again
            often = "part" if self._parts[part] > MOST_ON_A_PART else ""
            often = often or ("place" if self._places[place] > MOST_AT_A_PLACE else "")
            return self._answered.get(mark, ""), again, circles, often

    def _turn_down(self, tool: ReadTool, kind: str, said: str) -> NoReturn:
        with self._lock:
            self._turned_down[tool.name, kind] += 1
            times = self._turned_down.total()
        if times >= MOST_TURNED_DOWN:
            raise WentInCircles(f"{times} reads were turned down")
        raise ToolException(f"not read: {said}")
