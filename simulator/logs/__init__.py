"""CloudWatch Logs: groups, events, filter patterns and Logs Insights."""
