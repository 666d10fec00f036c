"""An AWS account on this machine, in a process of its own. Imports nothing of ours."""
