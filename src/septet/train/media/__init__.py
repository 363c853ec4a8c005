"""Training what hears and what draws."""
