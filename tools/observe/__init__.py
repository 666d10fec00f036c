"""Read tools: each asks AWS one narrow question and stores the answer as evidence."""
