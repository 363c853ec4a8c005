"""Fine-tuning: all weights, or few numbers beside them, on conversations."""
