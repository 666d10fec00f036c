"""Pure functions from observations to findings: no AWS, no model, no clock."""
