"""What the parts around an alarm publish of themselves: requests, errors, latency, and how full they are."""

from datetime import timedelta

from memory.records.config import Service
from memory.records.evidence import Evidence
from tools.analysis.failing import is_only_where_any
from tools.collectors.series import Wanted, incomplete_in, read_series, series_in
from tools.observe.sources import Sources

DAYS = 8
HOUR = timedelta(hours=1)


def look_at_service(sources: Sources, service: Service) -> Evidence:
    """Read a service's requests, errors and latency, and the CPU, memory or concurrency that it runs on."""
    return read_series(sources, f"metrics of {service.name}", wanted_of(service))


def wanted_of(service: Service) -> dict[str, Wanted]:
    """Return the metrics of a service: its own by the topology, and those of ECS or Lambda by its name.

    AWS/ECS and AWS/Lambda publish them under these dimensions
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html,
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).
    """
    found: dict[str, Wanted] = {}
    if service.metrics is not None:
        own = service.metrics
        for key, name, stat in (
            ("requests", own.requests, "Sum"),
            ("errors", own.errors, "Sum"),
            ("latency", own.latency, "p99"),
        ):
            found[key] = Wanted(own.namespace, name, own.dimensions, stat)
    if service.cluster is not None:
        place = {"ClusterName": service.cluster, "ServiceName": service.name}
        found["cpu"] = Wanted("AWS/ECS", "CPUUtilization", place, "Average")
        found["memory"] = Wanted("AWS/ECS", "MemoryUtilization", place, "Maximum")
    else:
        place = {"FunctionName": service.name}
        found["throttles"] = Wanted("AWS/Lambda", "Throttles", place, "Sum")
        found["concurrency"] = Wanted("AWS/Lambda", "ConcurrentExecutions", place, "Maximum")
        found["duration"] = Wanted("AWS/Lambda", "Duration", place, "Maximum")
    return found


def lacks_errors(evidence: Evidence, service: Service) -> bool:
    """Say whether requests came and errors did not, though they are no metric that AWS publishes only where any are."""
    series = series_in(evidence) or {}
    come = "errors" in series or "errors" in incomplete_in(evidence) or is_only_where_any(service.metrics)
    return "requests" in series and not come


def look_at_errors(sources: Sources, service: Service) -> Evidence:
    """Read a service's errors over some days, hour by hour, to know whether any are published under that name."""
    wanted = {"errors": wanted_of(service)["errors"]}
    return read_series(sources, f"errors of {service.name} on earlier days", wanted, DAYS * 1440, HOUR)


def look_at_queue_metrics(sources: Sources, queue: str) -> Evidence:
    """Read how much comes into a queue, how much of it is done, and how long the oldest message waits.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    place = {"QueueName": queue}
    wanted = {
        "age": Wanted("AWS/SQS", "ApproximateAgeOfOldestMessage", place, "Maximum"),
        "visible": Wanted("AWS/SQS", "ApproximateNumberOfMessagesVisible", place, "Maximum"),
        "in_work": Wanted("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", place, "Maximum"),
        "sent": Wanted("AWS/SQS", "NumberOfMessagesSent", place, "Sum"),
        "received": Wanted("AWS/SQS", "NumberOfMessagesReceived", place, "Sum"),
        "deleted": Wanted("AWS/SQS", "NumberOfMessagesDeleted", place, "Sum"),
    }
    return read_series(sources, f"metrics of queue {queue}", wanted)
