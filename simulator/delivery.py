"""What the account tells the world by itself: events on the default bus, messages to topics."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.clock import AccountClock, iso
from simulator.cloudwatch import alarm_words
from simulator.cloudwatch.alarms import Change
from simulator.ecs.answers import task_answer
from simulator.ecs.records import Cluster, Deployment, Service, Task
from simulator.emulator import Emulator
from simulator.wire.protocol import ACCOUNT, REGION

_ECS_REASONS = {
    "SERVICE_DEPLOYMENT_IN_PROGRESS": ("INFO", "ECS deployment {} in progress."),
    "SERVICE_DEPLOYMENT_COMPLETED": ("INFO", "ECS deployment {} completed."),
    "SERVICE_DEPLOYMENT_FAILED": ("ERROR", "ECS deployment circuit breaker: tasks failed to start."),
}


@dataclass
class Delivery:
    """Delivers through the emulator's own bus and topics, dated in account time."""

    emulator: Emulator
    clock: AccountClock
    sent: int = 0

    def announce_alarm(self, change: Change) -> None:
        """The event of a transition, then the actions that are due."""
        alarm, at = change.alarm, change.after.at
        if change.is_transition:
            detail = alarm_words.event_detail(change)
            self._event("CloudWatch Alarm State Change", "aws.cloudwatch", alarm.arn, at, detail)
        subject, message = alarm_words.notification(change)
        for action in change.actions:
            done = self.emulator.publish(action, subject, message)
            alarm.history.append((alarm_words.acted if done else alarm_words.failed)(alarm, at, action))

    def announce_deployment(self, service: Service, deployment: Deployment, name: str) -> None:
        """An `ECS Deployment State Change` event."""
        kind, reason = _ECS_REASONS[name]
        now = self.clock.now()
        detail = {
            "eventType": kind,
            "eventName": name,
            "deploymentId": deployment.id,
            "updatedAt": iso(now),
            "reason": reason.format(deployment.id),
        }
        self._event("ECS Deployment State Change", "aws.ecs", service.arn, now, detail)

    def announce_service(self, service: Service, name: str) -> None:
        """An `ECS Service Action` event."""
        now = self.clock.now()
        kind = "INFO" if name == "SERVICE_STEADY_STATE" else "WARN"
        detail = {
            "eventType": kind,
            "eventName": name,
            "clusterArn": Cluster(service.cluster).arn,
            "createdAt": iso(now),
        }
        self._event("ECS Service Action", "aws.ecs", service.arn, now, detail)

    def announce_task(self, service: Service, task: Task) -> None:
        """An `ECS Task State Change` event: the task as DescribeTasks gives it."""
        now = self.clock.now()
        answer = task_answer(task, service, Cluster(service.cluster))
        detail = {key: iso(one) if isinstance(one, datetime) else one for key, one in answer.items()}
        self._event(
            "ECS Task State Change", "aws.ecs", answer["taskArn"], now, detail | {"updatedAt": iso(now)}
        )

    def _event(self, kind: str, source: str, resource: str, at: datetime, detail: Mapping[str, Any]) -> None:
        self.sent += 1
        self.emulator.put_event(
            {
                "EventId": str(uuid5(NAMESPACE_URL, f"{resource}/{iso(at)}/{self.sent}")),
                "Source": source,
                "DetailType": kind,
                "Detail": json.dumps(detail),
                "EventBusName": "default",
                "Time": int(at.timestamp()),
                "Resources": [resource],
                "Account": ACCOUNT,
                "Region": REGION,
            }
        )
