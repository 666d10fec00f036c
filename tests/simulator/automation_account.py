"""Systems Manager on a loopback port, for tests of what it answers."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from simulator.ssm.overlay import AutomationOverlay
from tests.simulator.overlay_host import Host

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Desk:
    """The client of one hosted overlay, and its clock."""

    def __init__(self, host: Host, automation: AutomationOverlay) -> None:
        self.ssm = host.client("ssm")
        self._host, self._automation = host, automation
        self._made = 0

    def document(self, steps: list[dict[str, Any]], **more: Any) -> str:
        self._made += 1
        content = {"schemaVersion": "0.3", "mainSteps": steps, **more}
        name = f"Asked-{self._made}"
        self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
        return name

    def start(self, steps: list[dict[str, Any]]) -> str:
        answer = self.ssm.start_automation_execution(DocumentName=self.document(steps))
        return str(answer["AutomationExecutionId"])

    def get(self, execution_id: str) -> Any:
        answer = self.ssm.get_automation_execution(AutomationExecutionId=execution_id)
        return answer["AutomationExecution"]

    def when(self, execution_id: str, status: str) -> Any:
        for _ in range(300):
            execution = self.get(execution_id)
            if execution["AutomationExecutionStatus"] == status:
                return execution
            time.sleep(0.01)
        raise TimeoutError(f"{execution['AutomationExecutionStatus']} and not {status}")

    def advance(self, **span: float) -> None:
        self._host.run(self._advance(timedelta(**span)))

    async def _advance(self, span: timedelta) -> None:
        self._host.clock.move_to(self._host.clock.now() + span)
        await self._automation.clock_moved()


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """The code that AWS refuses a call with."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    raise AssertionError("it was not refused")
