"""Local stand-ins for a language model. Each sees its request and nothing else."""
