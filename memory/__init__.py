"""Records, state, checkpoints, ledger, retrieval, runbooks. Imports nothing of ours."""
