"""Event source mappings: which queue invokes which function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.functions import records
from simulator.functions.answers import mapping_answer
from simulator.functions.records import LambdaState
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call


@dataclass(frozen=True)
class MappingOperations:
    """Answers the operations on event source mappings."""

    state: LambdaState

    def answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        """Each operation with what answers it."""
        return {
            "CreateEventSourceMapping": self._create,
            "GetEventSourceMapping": self._get,
            "ListEventSourceMappings": self._list,
            "UpdateEventSourceMapping": self._update,
            "DeleteEventSourceMapping": self._delete,
        }

    def _create(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        if ":sqs:" not in given.get("EventSourceArn", ""):
            raise AwsError("InvalidParameterValueException", "Unrecognized event source, must be sqs.")
        mapping = self.state.map_queue(
            given["EventSourceArn"],
            given["FunctionName"],
            given.get("BatchSize", 10),
            call.at,
            is_enabled=given.get("Enabled", True),
        )
        return mapping_answer(mapping)

    def _get(self, call: Call) -> Mapping[str, Any]:
        return mapping_answer(self._mapping(call))

    def _list(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        name = records.split_name(given["FunctionName"])[0] if "FunctionName" in given else None
        listed = [
            mapping_answer(one)
            for one in self.state.mappings.values()
            if name in (None, one.function) and given.get("EventSourceArn") in (None, one.queue_arn)
        ]
        try:
            shown, token = page(listed, given.get("Marker"), min(int(given.get("MaxItems", 100)), 100))
        except UnknownTokenError as error:
            raise AwsError("InvalidParameterValueException", "Invalid marker.") from error
        return {"EventSourceMappings": shown, "NextMarker": token}

    def _update(self, call: Call) -> Mapping[str, Any]:
        mapping, given = self._mapping(call), call.parameters
        function, qualifier = mapping.function, mapping.qualifier
        if "FunctionName" in given:
            found, qualifier = self.state.function(given["FunctionName"])
            found.code(qualifier)
            function = found.name
        changed = replace(
            mapping,
            function=function,
            qualifier=qualifier,
            batch_size=given.get("BatchSize", mapping.batch_size),
            is_enabled=given.get("Enabled", mapping.is_enabled),
            modified_at=call.at,
        )
        self.state.mappings[mapping.id] = changed
        return mapping_answer(changed)

    def _delete(self, call: Call) -> Mapping[str, Any]:
        mapping = self._mapping(call)
        del self.state.mappings[mapping.id]
        return mapping_answer(mapping) | {"State": "Deleting"}

    def _mapping(self, call: Call) -> records.Mapping:
        found = self.state.mappings.get(call.parameters["UUID"])
        if found is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return found
