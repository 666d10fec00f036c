"""Puts a world into an empty account, as it stands when its history begins. Nothing of it is recorded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.ecs.records import Cluster, Service
from simulator.ecs.rollout import SETTLE, STARTUP, Scheduler
from simulator.ecs.state import EcsState
from simulator.emulator import Emulator
from simulator.logs.store import LogStore
from simulator.trail.callers import assumed_role
from simulator.wire.protocol import ACCOUNT, REGION, Call, Overlay
from simulator.world import AlarmWorld, Deployer, ServiceWorld, TableWorld, World

OPERATOR = "operator"
AUTOMATION_ROLE = "AutomationServiceRole"
LONGEST_SESSION = 43_200


@dataclass(frozen=True)
class Credentials:
    """A key to the account."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True)
class Seeding:
    """Seeds one world. `begin` is when the account's history begins, `start` the scenario's own start."""

    world: World
    begin: datetime
    start: datetime

    async def emulated(self, emulator: Emulator) -> None:
        """Tables, topics and the topology parameter, which ministack keeps."""
        for table in self.world.tables:
            await emulator.call("dynamodb", "CreateTable", _table(table))
        for topic in self.world.topics:
            await emulator.call_query("sns", "CreateTopic", Name=topic)
        parameter = {
            "Name": self.world.topology_parameter,
            "Type": "String",
            "Value": json.dumps({"services": [self._topology(one) for one in self.world.services]}),
        }
        await emulator.call("ssm", "PutParameter", parameter)

    async def documents(self, automation: Overlay) -> None:
        """The account's own Automation documents."""
        for document in self.world.documents:
            parameters = {
                "Name": document.name,
                "Content": document.content,
                "DocumentType": "Automation",
                "DocumentFormat": document.format,
            }
            caller = _deployer(self.world.deployer)
            call = Call("ssm", "CreateDocument", parameters, caller, "", REGION, ACCOUNT, self.begin)
            await automation.answer(call)

    def alarms(self, book: AlarmBook) -> None:
        """The alarms, not yet evaluated."""
        for alarm in self.world.alarms:
            book.put(_alarm(alarm), self.begin)

    def logs(self, logs: LogStore) -> None:
        """The log groups, empty."""
        for service in self.world.services:
            logs.create_group(service.log_group, self.begin)

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

    def _topology(self, service: ServiceWorld) -> dict[str, Any]:
        depends_on = [{"kind": "service", "name": one.service} for one in service.calls]
        depends_on += [{"kind": "table", "name": one.table} for one in service.writes]
        return {
            "name": service.name,
            "cluster": self.world.cluster,
            "log_group": service.log_group,
            "alarms": [one.name for one in self.world.alarms if one.service == service.name],
            "depends_on": depends_on,
            "metrics": {
                "namespace": self.world.namespace,
                "dimensions": {"Service": service.name},
                "requests": "Requests",
                "errors": "Errors",
                "latency": "LatencyMs",
            },
            "load_balancer": self.world.load_balancer if service.target_group else None,
            "target_group": service.target_group,
            "tier": service.tier,
            "slo": service.slo.model_dump(),
            "owner": service.owner,
        }


async def operator_credentials(emulator: Emulator) -> Credentials:
    """A user of the account with a key of its own."""
    await emulator.call_query("iam", "CreateUser", UserName=OPERATOR)
    key = await emulator.call_query("iam", "CreateAccessKey", UserName=OPERATOR)
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


async def automation_credentials(emulator: Emulator) -> Credentials:
    """A session of the role that Automation documents act with."""
    role = f"arn:aws:iam::{ACCOUNT}:role/{AUTOMATION_ROLE}"
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    await emulator.call_query("iam", "CreateRole", RoleName=AUTOMATION_ROLE, AssumeRolePolicyDocument=trust)
    session = await emulator.call_query(
        "sts",
        "AssumeRole",
        RoleArn=role,
        RoleSessionName="Automation",
        DurationSeconds=str(LONGEST_SESSION),
    )
    return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


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


def _alarm(alarm: AlarmWorld) -> dict[str, Any]:
    parameters = {**alarm.parameters, "AlarmName": alarm.name}
    if alarm.notifies is not None:
        arn = topic_arn(alarm.notifies)
        parameters |= {"ActionsEnabled": True, "AlarmActions": [arn], "OKActions": [arn]}
    return parameters


def _deployer(deployer: Deployer) -> str:
    return assumed_role(deployer.role, deployer.session).arn
