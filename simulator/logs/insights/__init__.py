"""The Logs Insights query language: parsed whole, or refused; never rows for what is not understood.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData_LogsInsights.html
"""
