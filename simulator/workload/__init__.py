"""What the account does by itself: load, what runs under it, and the traces that leaves."""
