"""Elastic Container Service: clusters, services, tasks, and rollouts that take time and may fail."""
