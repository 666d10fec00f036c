"""Which calls CloudTrail counts among data events: LookupEvents never shows them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
Bedrock: https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
"""

_DATA_EVENTS = {
    "bedrock-runtime": frozenset({"ApplyGuardrail", "InvokeGuardrailChecks"}),
    "cloudwatch": frozenset({"PutMetricData", "GetMetricData", "GetMetricWidgetImage"}),
    "dynamodb": frozenset(
        {f"{verb}Item" for verb in ("Get", "Put", "Update", "Delete", "BatchGet", "BatchWrite")}
        | {"Query", "Scan", "TransactGetItems", "TransactWriteItems"}
        | {"ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"}
    ),
    "events": frozenset({"PutEvents"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "logs": frozenset({"PutLogEvents"}),
    "s3": frozenset(
        {f"{verb}Object" for verb in ("Get", "Put", "Delete", "Head", "Copy")}
        | {
            "DeleteObjects",
            "ListObjects",
            "ListObjectsV2",
            "ListObjectVersions",
            "UploadPart",
            "UploadPartCopy",
        }
        | {"CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"}
    ),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {"ReceiveMessage", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
        | {f"{verb}Message{many}" for verb in ("Send", "Delete") for many in ("", "Batch")}
    ),
}


def is_data_event(service: str, operation: str) -> bool:
    """Whether CloudTrail counts the call among data events."""
    return operation in _DATA_EVENTS.get(service, frozenset())
