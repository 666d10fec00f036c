"""What can be wrong with stored checkpoints: said aloud, never answered with another checkpoint."""


class CheckpointError(Exception):
    """A checkpoint could not be stored or read."""


class CheckpointDamagedError(CheckpointError):
    """A checkpoint stands, and something it is made of is missing or changed. Restore it, or delete the thread."""


class StoreBusyError(CheckpointError):
    """DynamoDB took no more for as long as the saver was ready to wait. Try again, or give the table capacity."""
