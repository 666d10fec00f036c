"""Amazon Bedrock on this machine: Converse, its stream, guardrails, and models that say what they are."""

from simulator.bedrock.app import BedrockApp
from simulator.bedrock.faults import StreamException, StreamFault

__all__ = ["BedrockApp", "StreamException", "StreamFault"]
