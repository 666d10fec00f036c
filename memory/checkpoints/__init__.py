"""LangGraph checkpoints in DynamoDB. Knows nothing of the copilot: its client and serializer are arguments."""
