"""Simple Queue Service: what the workload's queues hold, as real messages, and redrives."""
