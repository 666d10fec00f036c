"""What of an account outlives its process: written down when it ends, taken up when it comes back."""
