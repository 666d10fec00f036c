"""The quotas that the account knows: those that its workload keeps to, with AWS's codes and defaults.

Codes, names and defaults, one page a service: https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
Usage metrics: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UsageMetric:
    """The metric that says how much of a quota is used (API_MetricInfo)."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Maximum"


@dataclass(frozen=True)
class Quota:
    """One quota. `default` is AWS's; `usual` is what an account has been given where nobody says otherwise."""

    service: str
    code: str
    name: str
    default: float
    description: str
    usual: float | None = None
    usage: UsageMetric | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What names it: the service's code and its own."""
        return self.service, self.code


SERVICES: Mapping[str, str] = {
    "dynamodb": "Amazon DynamoDB",
    "fargate": "AWS Fargate",
    "lambda": "AWS Lambda",
}
CONCURRENT_EXECUTIONS = Quota(
    "lambda",
    "L-B99A9384",
    "Concurrent executions",
    1000.0,
    "How many invocations of all functions together may run at once in this Region.",
    usage=UsageMetric("AWS/Lambda", "ConcurrentExecutions"),
)
# AWS raises it by itself as an account comes to use more; what an account in use has is not documented.
FARGATE_VCPUS = Quota(
    "fargate",
    "L-3032A538",
    "Fargate On-Demand vCPU resource count",
    6.0,
    "How many vCPUs Fargate On-Demand tasks may run on at once in this account in this Region.",
    usual=4000.0,
    usage=UsageMetric(
        "AWS/Usage",
        "ResourceCount",
        {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "Fargate", "Type": "Resource"},
    ),
)
TABLE_READS = Quota(
    "dynamodb",
    "L-CF0CBE56",
    "Table-level read throughput limit",
    40_000.0,
    "How much read throughput a table or a global secondary index may be given.",
)
TABLE_WRITES = Quota(
    "dynamodb",
    "L-AB614373",
    "Table-level write throughput limit",
    40_000.0,
    "How much write throughput a table or a global secondary index may be given.",
)
QUOTAS: Mapping[tuple[str, str], Quota] = {
    one.key: one for one in (TABLE_WRITES, TABLE_READS, FARGATE_VCPUS, CONCURRENT_EXECUTIONS)
}
