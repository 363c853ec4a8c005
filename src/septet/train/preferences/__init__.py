"""Learning which of two answers is better: a reward model, and the ways without one."""
