"""Lambda's API over the account's own state. What is not here is refused as an unknown operation.

Functions are container images: an image says how it behaves, so a zip of code is refused. Nothing is run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.functions.answers import alias_answer, code_location, configuration
from simulator.functions.invoking import Invoking
from simulator.functions.mappings import MappingOperations
from simulator.functions.records import (
    LATEST,
    Alias,
    Code,
    Function,
    LambdaState,
    not_found,
)
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call


@dataclass(frozen=True)
class LambdaOverlay:
    """Answers Lambda from `state`. `has_image` says whether the registry has an image."""

    state: LambdaState
    has_image: Callable[[str], bool]
    invoking: Invoking
    service: str = "lambda"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._answers()[call.operation](call)

    def _answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        mappings = MappingOperations(self.state)
        return {
            "CreateFunction": self._create,
            "DeleteFunction": self._delete,
            "GetFunction": self._get,
            "GetFunctionConfiguration": self._get_configuration,
            "ListFunctions": self._list,
            "UpdateFunctionCode": self._update_code,
            "UpdateFunctionConfiguration": self._update_configuration,
            "PublishVersion": self._publish,
            "ListVersionsByFunction": self._versions,
            "CreateAlias": self._create_alias,
            "UpdateAlias": self._update_alias,
            "GetAlias": self._get_alias,
            "ListAliases": self._aliases,
            "DeleteAlias": self._delete_alias,
            "PutFunctionConcurrency": self._reserve,
            "GetFunctionConcurrency": self._reserved,
            "DeleteFunctionConcurrency": self._unreserve,
            "GetAccountSettings": self._settings,
            "ListTags": self._tags,
            "Invoke": self.invoking.invoke,
            **mappings.answers(),
        }

    def _create(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        name = given["FunctionName"]
        if name in self.state.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
        variables = given.get("Environment", {}).get("Variables", {})
        code = Code(
            LATEST,
            self._image(given["Code"]),
            given.get("MemorySize", 128),
            given.get("Timeout", 3),
            given["Role"],
            call.at,
            given.get("Description", ""),
            tuple(sorted(variables.items())),
        )
        function = Function(name, code, tags=dict(given.get("Tags", {})))
        self.state.functions[name] = function
        return configuration(function, function.publish(call.at) if given.get("Publish") else code)

    def _delete(self, call: Call) -> Mapping[str, Any]:
        function, qualifier = self._named(call)
        if qualifier is None:
            del self.state.functions[function.name]
        elif function.versions.pop(qualifier, None) is None:
            raise not_found(f"{function.arn}:{qualifier}")
        return {}

    def _get(self, call: Call) -> Mapping[str, Any]:
        function, qualifier = self._named(call)
        code = function.code(qualifier)
        answer = {"Configuration": configuration(function, code, qualifier), "Code": code_location(code)}
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    def _get_configuration(self, call: Call) -> Mapping[str, Any]:
        function, qualifier = self._named(call)
        return configuration(function, function.code(qualifier), qualifier)

    def _list(self, call: Call) -> Mapping[str, Any]:
        listed = [configuration(one, one.latest) for _, one in sorted(self.state.functions.items())]
        return paged(call, "Functions", listed)

    def _update_code(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        image = self._image(call.parameters)
        changed = replace(function.latest, image=image, modified_at=call.at)
        if call.parameters.get("DryRun"):
            return configuration(function, changed)
        function.latest = changed
        published = function.publish(call.at) if call.parameters.get("Publish") else changed
        return configuration(function, published)

    def _update_configuration(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        given, latest = call.parameters, function.latest
        variables = given.get("Environment", {}).get("Variables", dict(latest.environment))
        function.latest = replace(
            latest,
            memory_mb=given.get("MemorySize", latest.memory_mb),
            timeout_seconds=given.get("Timeout", latest.timeout_seconds),
            description=given.get("Description", latest.description),
            role=given.get("Role", latest.role),
            environment=tuple(sorted(variables.items())),
            modified_at=call.at,
        )
        return configuration(function, function.latest)

    def _publish(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        return configuration(function, function.publish(call.at, call.parameters.get("Description", "")))

    def _versions(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        codes = [function.latest, *(function.versions[key] for key in sorted(function.versions, key=int))]
        return paged(call, "Versions", [configuration(function, one, one.version) for one in codes])

    def _create_alias(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        given = call.parameters
        if given["Name"] in function.aliases:
            message = f"Alias already exists: {function.arn}:{given['Name']}"
            raise AwsError("ResourceConflictException", message, 409)
        function.code(given["FunctionVersion"])
        alias = Alias(
            given["Name"], given["FunctionVersion"], given.get("Description", ""), _weights(function, given)
        )
        function.aliases[alias.name] = alias
        return alias_answer(function, alias)

    def _update_alias(self, call: Call) -> Mapping[str, Any]:
        function, alias = self._alias(call)
        given = call.parameters
        if given.get("RevisionId") not in (None, alias_answer(function, alias)["RevisionId"]):
            message = "The Revision Id provided does not match the latest Revision Id."
            raise AwsError("PreconditionFailedException", message, 412)
        version = given.get("FunctionVersion", alias.version)
        function.code(version)
        function.aliases[alias.name] = replace(
            alias,
            version=version,
            description=given.get("Description", alias.description),
            weights=_weights(function, given) if "RoutingConfig" in given else alias.weights,
            revision=alias.revision + 1,
        )
        return alias_answer(function, function.aliases[alias.name])

    def _get_alias(self, call: Call) -> Mapping[str, Any]:
        return alias_answer(*self._alias(call))

    def _aliases(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        wanted = call.parameters.get("FunctionVersion")
        listed = [one for one in function.aliases.values() if wanted in (None, one.version)]
        return paged(call, "Aliases", [alias_answer(function, one) for one in listed])

    def _delete_alias(self, call: Call) -> Mapping[str, Any]:
        function, alias = self._alias(call)
        del function.aliases[alias.name]
        return {}

    def _reserve(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        wanted = call.parameters["ReservedConcurrentExecutions"]
        others = self.state.reserved - (function.reserved or 0)
        floor = self.state.floor
        if self.state.concurrency - others - wanted < floor:
            message = (
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{floor}]."
            )
            raise AwsError("InvalidParameterValueException", message)
        function.reserved = wanted
        return {"ReservedConcurrentExecutions": wanted}

    def _reserved(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}

    def _unreserve(self, call: Call) -> Mapping[str, Any]:
        function, _ = self._named(call)
        function.reserved = None
        return {}

    def _settings(self, call: Call) -> Mapping[str, Any]:
        return {
            "AccountLimit": {
                "ConcurrentExecutions": self.state.concurrency,
                "UnreservedConcurrentExecutions": self.state.unreserved,
            },
            "AccountUsage": {"TotalCodeSize": 0, "FunctionCount": len(self.state.functions)},
        }

    def _tags(self, call: Call) -> Mapping[str, Any]:
        function, _ = self.state.function(call.parameters["Resource"])
        return {"Tags": dict(function.tags)}

    def _named(self, call: Call) -> tuple[Function, str | None]:
        function, qualifier = self.state.function(call.parameters["FunctionName"])
        return function, call.parameters.get("Qualifier", qualifier)

    def _alias(self, call: Call) -> tuple[Function, Alias]:
        function, _ = self._named(call)
        alias = function.aliases.get(call.parameters["Name"])
        if alias is None:
            message = f"Cannot find alias arn: {function.arn}:{call.parameters['Name']}"
            raise AwsError("ResourceNotFoundException", message, 404)
        return function, alias

    def _image(self, given: Mapping[str, Any]) -> str:
        image = given.get("ImageUri")
        if not image:
            raise AwsError("InvalidParameterValueException", "Please provide ImageUri.")
        if not self.has_image(image):
            message = f"Source image {image} does not exist. Provide a valid source image."
            raise AwsError("InvalidParameterValueException", message)
        return str(image)


def paged(call: Call, member: str, items: list[dict[str, Any]]) -> Mapping[str, Any]:
    """One page of a list, as Lambda pages: at most fifty, and a marker while there is more."""
    try:
        size = min(int(call.parameters.get("MaxItems", 50)), 50)
        listed, token = page(items, call.parameters.get("Marker"), size)
    except UnknownTokenError as error:
        raise AwsError("InvalidParameterValueException", "Invalid marker.") from error
    return {member: listed, "NextMarker": token}


def _weights(function: Function, given: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    weights = given.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    for version in weights:
        function.code(version)
    return tuple(sorted(weights.items()))
