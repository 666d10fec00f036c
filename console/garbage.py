"""When Python looks for garbage: not while modules load, of which none is ever garbage."""

import gc

# Objects between two looks. Python's own 700 has it search all modules over and over while they load.
WHILE_LOADING = 2_000_000
AFTERWARDS = 300_000


def wait_while_loading() -> None:
    """Look for no garbage until the modules are loaded: the look would come right before a command's first work."""
    gc.set_threshold(WHILE_LOADING)


def resume() -> None:
    """Look for garbage again, among what is made from here on; what stands now stays to the end."""
    gc.freeze()
    gc.set_threshold(AFTERWARDS)
