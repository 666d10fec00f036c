"""Evidence in, typed proposals out. Agents never act."""
