"""What steers the account from outside: its clock's pace, its faults. Not AWS."""
