"""What all tests may ask for."""

from tests.simulated import shared_accounts, simulated_account

__all__ = ["shared_accounts", "simulated_account"]
