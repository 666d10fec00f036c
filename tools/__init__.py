"""AWS and channel adapters, read tools, actions, analysis, policy, executor."""
