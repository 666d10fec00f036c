"""What may have caused an incident: one file for each kind of cause, each from findings to candidates."""
