"""Adapters to AWS. Clients are made here and nowhere else."""
