"""Puts a world into an empty account, as it stands when its history begins. Nothing of it is recorded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.codedeploy.seeding import codedeploy_calls
from simulator.ecs.records import Cluster, Service
from simulator.ecs.rollout import SETTLE, STARTUP, Scheduler
from simulator.ecs.state import EcsState
from simulator.emulator import Emulator
from simulator.functions.records import LATEST, Alias, Code, Function, LambdaState
from simulator.logs.store import Bulk, LogStore
from simulator.topology import topology
from simulator.trail.callers import assumed_role
from simulator.wire.protocol import ACCOUNT, REGION, Call, Overlay
from simulator.world import (
    AlarmWorld,
    Deployer,
    FunctionWorld,
    ParameterWorld,
    QueueWorld,
    ServiceWorld,
    TableWorld,
    World,
)

SETTLED = timedelta(days=30)


@dataclass(frozen=True)
class Seeding:
    """Seeds one world. `begin` is when the account's history begins, `start` the scenario's own start."""

    world: World
    begin: datetime
    start: datetime

    async def emulated(self, emulator: Emulator) -> None:
        """Tables, topics, queues and parameters, which ministack keeps, made long before the history."""
        settled = self.begin - SETTLED
        for table in self.world.tables:
            await emulator.call("dynamodb", "CreateTable", _table(table))
            emulator.date_table(table.name, settled)
        for topic in self.world.topics:
            await emulator.call_query("sns", "CreateTopic", Name=topic)
        # A queue's dead-letter queue has to exist before it.
        for queue in sorted(self.world.queues, key=lambda one: one.dead_letter is not None):
            await emulator.call("sqs", "CreateQueue", _queue(queue))
        published = ParameterWorld(name=self.world.topology_parameter, value=topology(self.world))
        for parameter in (published, *self.world.parameters):
            await emulator.call("ssm", "PutParameter", _parameter(parameter))
            emulator.date_parameter(parameter.name, settled, _deployer(self.world.deployer))

    async def documents(self, automation: Overlay) -> None:
        """The account's own Automation documents."""
        for document in self.world.documents:
            parameters = {
                "Name": document.name,
                "Content": document.content,
                "DocumentType": document.type,
                "DocumentFormat": document.format,
            }
            caller = _deployer(self.world.deployer)
            call = Call("ssm", "CreateDocument", parameters, caller, "", REGION, ACCOUNT, self.begin)
            await automation.answer(call)

    async def applications(self, codedeploy: Overlay) -> None:
        """What the team has set up in CodeDeploy, made long before the history."""
        caller = _deployer(self.world.deployer)
        for operation, parameters in codedeploy_calls(self.world):
            at = self.begin - SETTLED
            await codedeploy.answer(
                Call("codedeploy", operation, parameters, caller, "", REGION, ACCOUNT, at)
            )

    def alarms(self, book: AlarmBook) -> None:
        """The alarms, not yet evaluated."""
        for alarm in self.world.alarms:
            book.put(_alarm(alarm), self.begin)

    def logs(self, logs: LogStore) -> None:
        """The log groups, empty."""
        for service in self.world.services:
            group = logs.create_group(service.log_group, self.begin)
            if service.log_bulk is not None:
                since = min(self.start + service.log_bulk.since, self.begin)
                seconds = (self.start - since).total_seconds()
                group.bulk = Bulk(service.log_bulk.bytes / seconds, since)
                group.retention_days = service.log_bulk.retention_days
        for function in self.world.functions:
            logs.create_group(function.log_group, self.begin)

    def functions(self, state: LambdaState) -> None:
        """The functions with their versions, each behind its alias and reading its queue."""
        for world in self.world.functions:
            function = Function(world.name, _code(world, world.versions[0].image, self.start))
            function.next_version, function.reserved = world.first_version, world.reserved_concurrency
            function.tags.update({"owner": world.owner, "tier": str(world.tier), **world.tags})
            state.functions[world.name] = function
            for version in world.versions:
                at = min(self.start + version.published, self.begin - timedelta(minutes=10))
                function.latest = _code(world, version.image, at)
                published = function.publish(at)
            function.aliases[world.alias] = Alias(world.alias, published.version)
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{world.consumes}"
            born = self.start + world.versions[0].published
            state.map_queue(arn, f"{world.name}:{world.alias}", world.batch_size, born)

    def ecs(self, state: EcsState, scheduler: Scheduler) -> None:
        """The cluster and its services, each on the last of its revisions and at rest."""
        cluster = state.clusters.setdefault(self.world.cluster, Cluster(self.world.cluster))
        for service in self.world.services:
            self._service(state, scheduler, cluster, service)

    def _service(self, state: EcsState, scheduler: Scheduler, cluster: Cluster, world: ServiceWorld) -> None:
        caller = _deployer(self.world.deployer)
        state.next_revision[world.family] = world.first_revision
        born = self.start + world.revisions[0].registered
        parameters = _service_parameters(self.world, world)
        service = Service(world.name, cluster.name, parameters, world.desired, born, caller)
        cluster.services[world.name] = service
        state.tag(service.arn, [{"key": key, "value": value} for key, value in _tags(world).items()])
        for revision in world.revisions:
            at = min(self.start + revision.registered, self.begin - timedelta(minutes=10))
            definition = state.register(task_definition(world, revision.image), at, caller)
            scheduler.begin(service, definition, at)
            for moment in (at, at + STARTUP, at + SETTLE, at + SETTLE + STARTUP):
                scheduler.move(service, moment)


def topic_arn(topic: str) -> str:
    """A topic's ARN in this account."""
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"


def task_definition(service: ServiceWorld, image: str) -> dict[str, Any]:
    """The parameters of RegisterTaskDefinition for a service that runs `image`."""
    logging = {
        "awslogs-group": service.log_group,
        "awslogs-region": REGION,
        "awslogs-stream-prefix": service.container,
    }
    container = {
        "name": service.container,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": "SERVICE_NAME", "value": service.name}],
        "logConfiguration": {"logDriver": "awslogs", "options": logging},
    }
    return {
        "family": service.family,
        "containerDefinitions": [container],
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": service.cpu_units,
        "memory": service.memory_mb,
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{service.family}-task",
    }


def _service_parameters(world: World, service: ServiceWorld) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "launchType": "FARGATE",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "maximumPercent": 200,
            "minimumHealthyPercent": service.minimum_healthy_percent,
        },
    }
    if service.target_group is not None:
        target = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{service.target_group}"
        balancer = {"targetGroupArn": target, "containerName": service.container, "containerPort": 8080}
        parameters["loadBalancers"] = [balancer]
    return parameters


def _tags(service: ServiceWorld) -> Mapping[str, str]:
    return {"owner": service.owner, "tier": str(service.tier), "log-group": service.log_group, **service.tags}


def _table(table: TableWorld) -> dict[str, Any]:
    return {
        "TableName": table.name,
        "AttributeDefinitions": [{"AttributeName": table.key, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": table.key, "KeyType": "HASH"}],
        "ProvisionedThroughput": {
            "ReadCapacityUnits": table.read_capacity,
            "WriteCapacityUnits": table.write_capacity,
        },
    }


def _queue(queue: QueueWorld) -> dict[str, Any]:
    attributes = {"VisibilityTimeout": str(queue.visibility_seconds)}
    if queue.is_fifo:
        attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    if queue.dead_letter is not None:
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.dead_letter}"
        policy = {"deadLetterTargetArn": target, "maxReceiveCount": queue.max_receives}
        attributes["RedrivePolicy"] = json.dumps(policy)
    return {"QueueName": queue.name, "Attributes": attributes, "tags": dict(queue.tags)}


def _parameter(parameter: ParameterWorld) -> dict[str, Any]:
    said = {"Description": parameter.description, "AllowedPattern": parameter.allowed_pattern}
    given = {name: text for name, text in said.items() if text}
    return {"Name": parameter.name, "Type": "String", "Value": parameter.value, **given}


def _code(function: FunctionWorld, image: str, at: datetime) -> Code:
    return Code(
        LATEST,
        image,
        function.memory_mb,
        function.timeout_seconds,
        f"arn:aws:iam::{ACCOUNT}:role/{function.name}-function",
        at,
        environment=tuple(sorted(function.environment.items())),
    )


def _alarm(alarm: AlarmWorld) -> dict[str, Any]:
    parameters = {**alarm.parameters, "AlarmName": alarm.name}
    if alarm.notifies is not None:
        arn = topic_arn(alarm.notifies)
        parameters |= {"ActionsEnabled": True, "AlarmActions": [arn], "OKActions": [arn]}
    return parameters


def _deployer(deployer: Deployer) -> str:
    return assumed_role(deployer.role, deployer.session).arn
