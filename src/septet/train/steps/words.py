"""What several configs of training say alike."""

from __future__ import annotations

PRECISIONS = ("auto", "bfloat16", "float32")
PRECISION = "Precision of weights and products; auto: bfloat16 where the processor multiplies it."
RANK = "Rank of adapters that are trained and folded in; 0: all weights are trained."
ALPHA = "Scale of the adapters, as a multiple of 1/rank."
RATE = "Peak of the learning rate."
SCHEDULES = ("cosine", "linear", "stable", "constant")
SCHEDULE = "How the rate falls after that; stable: only in the last fifth of the steps; constant: not at all."
