"""Filter patterns of FilterLogEvents: terms, JSON and space-delimited."""
