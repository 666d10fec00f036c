"""One step a file; the file, the function and the node share one name."""
