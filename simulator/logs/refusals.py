"""What CloudWatch Logs refuses, in its own words, and the look-ups that refuse."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.logs.store import LogGroup, LogStore, LogStream
from simulator.wire.protocol import AwsError


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def constraint(name: str, value: object, rule: str) -> AwsError:
    """The refusal of a member that breaks a constraint of the API's model."""
    refused = f"Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
    return invalid(f"1 validation error detected: {refused}")


def checked_name(value: str, pattern: re.Pattern[str], name: str) -> str:
    """The value, which must match the whole pattern."""
    if not pattern.fullmatch(value):
        raise constraint(name, value, f"Member must satisfy regular expression pattern: {pattern.pattern}")
    return value


def checked_limit(given: Mapping[str, Any], most: int) -> int:
    """The request's `limit`, which is `most` where it says none."""
    limit = int(given.get("limit", most))
    if limit > most:
        raise constraint("limit", limit, f"Member must have value less than or equal to {most}")
    return limit


def group_name(identifier: str) -> str:
    """The group's name in an identifier that is its name or its ARN."""
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*")


def named_group(store: LogStore, name: str) -> LogGroup:
    """The group of that name."""
    group = store.groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


def identified_group(store: LogStore, given: Mapping[str, Any]) -> LogGroup:
    """The group that a request names by exactly one of logGroupName and logGroupIdentifier."""
    name, identifier = given.get("logGroupName"), given.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    return named_group(store, name or group_name(str(identifier)))


def named_stream(group: LogGroup, name: str) -> LogStream:
    """The stream of that name."""
    stream = group.streams.get(name)
    if stream is None:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return stream
