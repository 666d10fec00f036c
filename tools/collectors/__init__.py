"""The first look's collectors: each asks one thing of the account, within its own limits, and stores the answer."""
