"""Watching a run for divergence: a loss that is no number, or that stays far above its own median."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence

from septet.core import StepFailed

_WATCHED = 32
_SPIKES = 3


class Watch:
    """Stops a run whose loss is no number, or stays far above its median for several steps."""

    def __init__(self, spike: float, losses: Iterable[float]) -> None:
        self._spike = spike
        self._recent: deque[float] = deque(losses, maxlen=_WATCHED)
        self._above = 0

    def see(self, step: int, loss: float, norm: float, rows: Sequence[str]) -> None:
        """Raises StepFailed that names the step and its rows when the run has left its course."""
        where = ", ".join(rows[:4]) + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise StepFailed(
                f"the loss became {loss} with a gradient norm of {norm} at step {step}, on {where}",
                "Look at these rows, then lower learning_rate or clip",
            )
        if self._spike and len(self._recent) == _WATCHED:
            usual = statistics.median(self._recent)
            self._above = self._above + 1 if loss > max(self._spike * usual, usual + 2.0) else 0
            if self._above >= _SPIKES:
                raise StepFailed(
                    f"the loss is {loss:.2f} at step {step}, {_SPIKES} steps far above its median of {usual:.2f}; last on {where}",
                    "Lower learning_rate, or set spike to 0 if this is expected",
                )
        self._recent.append(loss)
