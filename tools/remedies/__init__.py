"""How a cause is answered: finders that read live state and propose an action with exact parameters."""
