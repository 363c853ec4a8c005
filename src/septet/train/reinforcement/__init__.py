"""Learning from rewards: of answers that are sampled, of answers that lie ready, and of choices."""
