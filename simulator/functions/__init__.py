"""Lambda: functions with versions, aliases, concurrency and the queues that feed them."""
