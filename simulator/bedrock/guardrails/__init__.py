"""Guardrails by rules: what Bedrock does with classifiers is done here with patterns that can be read."""
