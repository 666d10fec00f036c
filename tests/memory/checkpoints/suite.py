"""LangGraph's conformance suite, with what it found to be wrong."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from langgraph.checkpoint.conformance import checkpointer_test, validate


async def failures(fresh_saver: Callable[[], Any]) -> dict[str, Any]:
    """Return what is wrong by capability; a capability that was not tested is wrong too."""

    @checkpointer_test(name="saver")
    async def fresh() -> AsyncGenerator[Any, None]:
        yield fresh_saver()

    report = await validate(fresh)
    results = report.results
    wrong: dict[str, Any] = {name: one.failures for name, one in results.items() if one.passed is not True}
    tests = sum(one.tests_passed for one in results.values())
    return wrong if len(results) == 8 and tests >= 81 else {**wrong, "tests": (len(results), tests)}
