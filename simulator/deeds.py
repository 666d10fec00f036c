"""What people and pipelines of a world do: they call AWS, with roles of their own, and CloudTrail knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.codedeploy.appspec import Target, written_appspec
from simulator.dispatch import Dispatch
from simulator.emulator import Emulator
from simulator.seeding import task_definition
from simulator.trail.callers import Caller, assumed_role
from simulator.trail.calls import CallLog
from simulator.wire.protocol import ACCOUNT, REGION, Call, service_model
from simulator.world import ApiCall, Deploy, FunctionDeploy, Through, World


@dataclass(frozen=True)
class Deeds:
    """Carries out the calls that a world's files date."""

    world: World
    dispatch: Dispatch
    emulator: Emulator
    log: CallLog

    async def __call__(self, event: Deploy | FunctionDeploy | ApiCall) -> None:
        """Do what an event says."""
        if isinstance(event, Deploy):
            await self._deploy(event)
        elif isinstance(event, FunctionDeploy):
            await self._deploy_function(event)
        else:
            await self.call(
                assumed_role(event.role, event.session), event.service, event.operation, event.parameters
            )

    async def call(
        self, caller: Caller, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Call an operation as somebody: an overlay where one answers it, else the emulator."""
        overlay = self.dispatch.overlays.get(service)
        given = dict(parameters)
        if overlay is not None and (overlay.exclusive or operation in overlay.operations):
            return await self.dispatch.perform(caller.arn, caller.access_key, service, operation, given)
        answer: Mapping[str, Any]
        if service_model(service).metadata["protocol"] == "query":
            answer = await self.emulator.call_query(service, operation, **given)
        else:
            answer = await self.emulator.call(service, operation, given)
        now = self.dispatch.clock.now()
        made = Call(service, operation, given, caller.arn, caller.access_key, REGION, ACCOUNT, now)
        self.log.record(made)
        return answer

    async def _deploy(self, event: Deploy) -> None:
        """Register a revision that differs in its image, and roll it out, as a pipeline does."""
        service = self.world.service(event.service)
        caller = self._deployer(event.session)
        registered = await self.call(
            caller, "ecs", "RegisterTaskDefinition", task_definition(service, event.image)
        )
        definition = registered["taskDefinition"]
        update = {
            "cluster": self.world.cluster,
            "service": service.name,
            "taskDefinition": f"{definition['family']}:{definition['revision']}",
        }
        await self.call(caller, "ecs", "UpdateService", update)

    async def _deploy_function(self, event: FunctionDeploy) -> None:
        """Update the code, publish it as a version, and move the alias there, as a pipeline does."""
        function, caller = self.world.function(event.function), self._deployer(event.session)
        named = {"FunctionName": function.name}
        await self.call(caller, "lambda", "UpdateFunctionCode", {**named, "ImageUri": event.image})
        described = {**named, "Description": event.description}
        published = await self.call(caller, "lambda", "PublishVersion", described)
        if event.through is not None:
            await self._shift(event, event.through, published["Version"])
            return
        moved = {**named, "Name": function.alias, "FunctionVersion": published["Version"]}
        await self.call(caller, "lambda", "UpdateAlias", moved)

    async def _shift(self, event: FunctionDeploy, through: Through, version: str) -> None:
        """Leave the alias to CodeDeploy, as a pipeline does that deploys by an AppSpec file."""
        function, caller = self.world.function(event.function), self._deployer(event.session)
        named = {"FunctionName": function.name, "Name": function.alias}
        alias = await self.call(caller, "lambda", "GetAlias", named)
        target = Target(function.name, function.alias, alias["FunctionVersion"], version)
        content = {"content": written_appspec(target)}
        deployment: dict[str, Any] = {
            "applicationName": through.application,
            "deploymentGroupName": through.group,
            "revision": {"revisionType": "AppSpecContent", "appSpecContent": content},
        }
        if through.config is not None:
            deployment["deploymentConfigName"] = through.config
        if event.description:
            deployment["description"] = event.description
        await self.call(caller, "codedeploy", "CreateDeployment", deployment)

    def _deployer(self, session: str | None) -> Caller:
        return assumed_role(self.world.deployer.role, session or self.world.deployer.session)
