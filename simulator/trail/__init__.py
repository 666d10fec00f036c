"""Who called what: the account's log of calls, and CloudTrail's view of it."""
