"""The units in which AWS's own services publish their metrics, as their references list them."""

from functools import cache

NO_UNIT = "None"
_PUBLISHED = {
    "AWS/ECS": {"CPUUtilization": "Percent", "MemoryUtilization": "Percent"},
    "AWS/ApplicationELB": {
        "RequestCount": "Count",
        "HTTPCode_Target_5XX_Count": "Count",
        "HTTPCode_ELB_5XX_Count": "Count",
        "TargetResponseTime": "Seconds",
        "HealthyHostCount": "Count",
        "UnHealthyHostCount": "Count",
    },
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits": "Count",
        "ConsumedWriteCapacityUnits": "Count",
        "ProvisionedReadCapacityUnits": "Count",
        "ProvisionedWriteCapacityUnits": "Count",
        "ReadThrottleEvents": "Count",
        "WriteThrottleEvents": "Count",
        "ThrottledRequests": "Count",
        "SuccessfulRequestLatency": "Milliseconds",
    },
    "AWS/Lambda": {
        "Invocations": "Count",
        "Errors": "Count",
        "Throttles": "Count",
        "Duration": "Milliseconds",
        "ConcurrentExecutions": "Count",
        "IteratorAge": "Milliseconds",
    },
    "AWS/SQS": {
        "ApproximateNumberOfMessagesVisible": "Count",
        "ApproximateNumberOfMessagesNotVisible": "Count",
        "ApproximateNumberOfMessagesDelayed": "Count",
        "ApproximateAgeOfOldestMessage": "Seconds",
        "NumberOfMessagesSent": "Count",
        "NumberOfMessagesReceived": "Count",
        "NumberOfMessagesDeleted": "Count",
    },
}


@cache
def published_unit(namespace: str, name: str) -> str:
    """The unit of a metric that says none when it is written: an AWS service's own, else None's."""
    return _PUBLISHED.get(namespace, {}).get(name, NO_UNIT)
