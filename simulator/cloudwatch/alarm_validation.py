"""What PutMetricAlarm and PutCompositeAlarm refuse.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from simulator.cloudwatch.alarm_rules import alarm_of, parsed_rule
from simulator.cloudwatch.alarms import BAND_COMPARISONS, THRESHOLD_COMPARISONS, Missing
from simulator.cloudwatch.metric_math.grammar import Application, Node, parsed, walked
from simulator.cloudwatch.metric_math.values import ExpressionError, Series
from simulator.cloudwatch.metrics import Grid, MetricStore
from simulator.cloudwatch.queries import Request, check_queries, in_expression, invalid
from simulator.cloudwatch.retention import DAY, HOUR, MINUTE
from simulator.cloudwatch.statistics import STATISTICS, is_statistic
from simulator.wire.protocol import AwsError

MOST_METRICS, MOST_TAGS, MOST_ACTIONS, MOST_PARENTS = 10, 50, 5, 150
NOT_SIMULATED = ("EvaluationCriteria", "EvaluationInterval", "EvaluationWindow", "WarmUpConfiguration")
SHORT_PERIODS = (10, 20, 30)
ACTION_LISTS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_OF_ONE_METRIC = (
    *("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic"),
)
_Parameters = Mapping[str, Any]


def check_metric_alarm(parameters: _Parameters) -> None:
    """Refuse an alarm that CloudWatch would refuse, or that this account cannot evaluate."""
    for name in NOT_SIMULATED:
        if name in parameters:
            raise AwsError("InvalidParameterCombination", f"The parameter {name} is not supported.")
    _check_common(parameters)
    for required in ("ComparisonOperator", "EvaluationPeriods"):
        if required not in parameters:
            raise invalid(f"The parameter {required} is required.")
    period = _check_queries(parameters) if "Metrics" in parameters else _check_one_metric(parameters)
    _check_comparison(parameters)
    _check_periods(parameters, period)
    treatment = parameters.get("TreatMissingData", "missing")
    if treatment not in [one.value for one in Missing]:
        raise invalid(f"The value {treatment} for parameter TreatMissingData is not supported.")
    if parameters.get("EvaluateLowSampleCountPercentile", "evaluate") not in ("evaluate", "ignore"):
        raise invalid("Option for EvaluateLowSampleCountPercentile must be evaluate or ignore.")


def check_composite_alarm(parameters: _Parameters, known: Sequence[str], parents: Mapping[str, int]) -> None:
    """Refuse a composite alarm. `known` are the account's alarms, `parents` how many watch each."""
    _check_common(parameters)
    rule = parsed_rule(parameters["AlarmRule"])
    missing = [one for one in rule.children if one not in known and one != parameters["AlarmName"]]
    if missing:
        names = ", ".join(missing)
        raise invalid(
            f"Could not save the composite alarm as alarms [{names}] in the alarm rule do not exist"
        )
    for one in rule.children:
        if parents.get(one, 0) >= MOST_PARENTS:
            raise AwsError("LimitExceeded", f"{one} is in the rules of {MOST_PARENTS} composite alarms.")
    _check_suppressor(parameters, known)


def _check_suppressor(parameters: _Parameters, known: Sequence[str]) -> None:
    periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    suppressor = parameters.get("ActionsSuppressor")
    for name in periods:
        if (name in parameters) != (suppressor is not None):
            raise invalid(f"ActionsSuppressor and {name} must be specified together.")
        if parameters.get(name, 0) < 0:
            raise invalid(f"{name} must not be negative.")
    if suppressor is not None and alarm_of(suppressor) not in known:
        raise invalid(
            f"Could not save the composite alarm as the suppressor alarm {suppressor} does not exist"
        )


def _check_common(parameters: _Parameters) -> None:
    name = parameters["AlarmName"]
    if not 1 <= len(name) <= 255 or not name.isprintable():
        raise invalid("The AlarmName must have 1 to 255 characters and no control characters.")
    if len(parameters.get("AlarmDescription", "")) > 1024:
        raise invalid("The AlarmDescription must have at most 1024 characters.")
    if len(parameters.get("Tags", [])) > MOST_TAGS:
        raise invalid(f"An alarm can have at most {MOST_TAGS} tags.")
    for kind in ACTION_LISTS:
        actions = parameters.get(kind, [])
        if len(actions) > MOST_ACTIONS:
            raise invalid(f"The collection {kind} must have at most {MOST_ACTIONS} members.")
        for action in actions:
            _check_action(action)


def _check_action(action: str) -> None:
    parts = action.split(":")
    if len(parts) < 6 or parts[0] != "arn":
        raise invalid(f"Invalid arn syntax: {action}")
    if parts[2] != "sns":
        # An action that the account would never carry out must not look as if it would be.
        raise invalid(f"The action {action} is not supported: the account notifies SNS topics only.")


def _check_one_metric(parameters: _Parameters) -> int:
    for required in ("MetricName", "Namespace", "Period"):
        if required not in parameters:
            raise invalid(f"{required} must not be null")
    if ("Statistic" in parameters) == ("ExtendedStatistic" in parameters):
        raise invalid("Exactly one of the parameters Statistic and ExtendedStatistic must be specified.")
    plain, further = parameters.get("Statistic"), parameters.get("ExtendedStatistic")
    if plain is not None and plain not in STATISTICS:
        raise invalid(f"The value {plain} for parameter Statistic is not supported.")
    if further is not None and (further in STATISTICS or not is_statistic(further)):
        raise invalid(f"The value {further} for parameter ExtendedStatistic is not supported.")
    if "ThresholdMetricId" in parameters:
        raise invalid("ThresholdMetricId should not be set if a list of Metrics is not set.")
    return int(parameters["Period"])


def _check_queries(parameters: _Parameters) -> int:
    for name in _OF_ONE_METRIC:
        if name in parameters:
            raise invalid(f"{name} should not be set if list of Metrics is set.")
    queries = parameters["Metrics"]
    check_queries(queries)
    metrics = [one["MetricStat"] for one in queries if "MetricStat" in one]
    if len(metrics) > MOST_METRICS:
        raise invalid(
            f"Alarms on math expressions cannot contain more than {MOST_METRICS} individual metrics"
        )
    trees = {one["Id"]: _tree(one) for one in queries if "Expression" in one}
    for tree in trees.values():
        if any(isinstance(one, Application) and one.function == "SEARCH" for one in walked(tree)):
            raise invalid("SEARCH is not supported on Metric Alarms.")
    band = _check_band(parameters, trees)
    returned = [one for one in queries if one.get("ReturnData", True) and one["Id"] != band]
    if len(returned) != 1:
        raise invalid("Exactly one element of the metrics list should return data.")
    _check_result(queries, returned[0]["Id"])
    periods = {one["Period"] for one in metrics} | {one["Period"] for one in queries if "Period" in one}
    if len(periods) != 1:
        raise invalid("All metrics of an alarm must have the same period.")
    return int(periods.pop())


def _check_result(queries: Sequence[_Parameters], watched: str) -> None:
    """Refuse what could never be evaluated: what types come out does not depend on data."""
    nothing = Grid(0, MINUTE, 3)
    values = Request(
        queries, MetricStore(), lambda period: nothing, datetime.fromtimestamp(0, UTC)
    ).evaluated()
    if not isinstance(values[watched], Series):
        raise in_expression(watched, "An alarm watches a single time series.")


def _tree(query: _Parameters) -> Node:
    try:
        return parsed(query["Expression"])
    except ExpressionError as error:
        raise in_expression(query["Id"], str(error)) from error


def _check_band(parameters: _Parameters, trees: Mapping[str, Node]) -> str | None:
    """The id of the band that is the threshold, which has to be one."""
    band = parameters.get("ThresholdMetricId")
    if band is None:
        return None
    tree = trees.get(band)
    if not isinstance(tree, Application) or tree.function != "ANOMALY_DETECTION_BAND":
        raise invalid("ThresholdMetricId must be the id of an ANOMALY_DETECTION_BAND.")
    return str(band)


def _check_comparison(parameters: _Parameters) -> None:
    comparison = parameters["ComparisonOperator"]
    if comparison in BAND_COMPARISONS:
        if "ThresholdMetricId" not in parameters:
            raise invalid(f"ThresholdMetricId must be set for {comparison}.")
        if "Threshold" in parameters:
            raise invalid("Threshold should not be set if ThresholdMetricId is set.")
        return
    if comparison not in THRESHOLD_COMPARISONS:
        raise invalid(f"The value {comparison} for parameter ComparisonOperator is not supported.")
    if "ThresholdMetricId" in parameters:
        raise invalid(f"{comparison} cannot be used with ThresholdMetricId.")
    if "Threshold" not in parameters:
        raise invalid("The parameter Threshold is required.")


def _check_periods(parameters: _Parameters, period: int) -> None:
    if period not in SHORT_PERIODS and (period < MINUTE or period % MINUTE):
        raise invalid("Period must be 10, 20, 30 or a multiple of 60")
    count = parameters["EvaluationPeriods"]
    most = DAY if period < HOUR else 7 * DAY
    if period * count > most:
        across = "a day" if most == DAY else "seven days"
        raise invalid(
            f"Metrics cannot be checked across more than {across} "
            f"(EvaluationPeriods * Period must be <= {most})."
        )
    if not 1 <= parameters.get("DatapointsToAlarm", 1) <= count:
        raise invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods.")
