"""CloudWatch's metric math: its grammar, its types, its functions and its searches."""
