"""Who may do what in the account: signatures, policies, and the one gate before every service."""
