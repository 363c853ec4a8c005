"""How far confidence can be believed: calibration errors, proper scores, accuracy of what a model is sure of, Platt's scaling.

Arrays in, numbers out. `confidence` is the probability of the chosen option, `right` whether it is right (0 or 1).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
_FOLDS = 5
_EDGE = 1e-6


def ece_equal_width(confidence: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error over bins of equal width, each open below (Naeini et al., 2015; Guo et al., 2017)."""
    import numpy as np

    place = width_bins(confidence, bins)
    gaps = np.bincount(place, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(confidence))


def ece_equal_mass(confidence: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error over bins of as many items each (Nixon et al., 2019, arXiv 1904.01685), as HELM takes it."""
    import numpy as np

    gaps = (right - confidence)[np.argsort(confidence, kind="stable")]
    edges = mass_edges(len(gaps), bins)
    return float(np.abs(np.add.reduceat(gaps, edges)).sum() / len(gaps))


def width_bins(confidence: NDArray[Any], bins: int = BINS) -> NDArray[Any]:
    """The bin of each confidence: the k-th holds what is above k/bins and at most (k+1)/bins."""
    import numpy as np

    # Rounded first: 0.3 * 10 is a little more than 3.
    return np.asarray(np.clip(np.ceil(np.round(confidence * bins, 9)).astype(int) - 1, 0, bins - 1))


def mass_edges(count: int, bins: int = BINS) -> NDArray[Any]:
    """Where the bins of as many sorted items each begin; fewer bins for fewer items."""
    import numpy as np

    bins = min(bins, count)
    return np.asarray((np.arange(bins) * count) // bins)


def selective(confidence: NDArray[Any], right: NDArray[Any]) -> tuple[float, float]:
    """Accuracy of the surest tenth of the items, and the mean accuracy over all such shares (the area under the curve of
    accuracy by coverage), as in HELM. Items of equal confidence count with their mean: their order says nothing."""
    import numpy as np

    _, group = np.unique(-confidence, return_inverse=True)
    means = np.bincount(group, right) / np.bincount(group)
    ordered = np.sort(group)
    running = np.cumsum(means[ordered]) / np.arange(1, len(right) + 1)
    tenth = max(1, math.ceil(len(right) / 10))
    return float(running[tenth - 1]), float(running.mean())


def brier(probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Brier's score of one item (1950): squared distances over all options, 0 to 2. Several right options count as one."""
    hit = sum(probabilities[place] for place in labels)
    return (1 - hit) ** 2 + sum(p * p for place, p in enumerate(probabilities) if place not in labels)


def log_softmax(values: Sequence[float]) -> list[float]:
    """Logarithms of the shares of exp(value). Values may be as low as they like."""
    top = max(values)
    total = top + math.log(math.fsum(math.exp(one - top) for one in values))
    return [one - total for one in values]


def negative_log_likelihood(log_shares: Sequence[float], labels: Sequence[int]) -> float:
    """Minus the logarithm of the probability of the right options together, in nats."""
    told = [log_shares[place] for place in labels]
    top = max(told)
    return max(0.0, -(top + math.log(math.fsum(math.exp(one - top) for one in told))))


def platt_cross_fitted(confidence: NDArray[Any], right: NDArray[Any], clusters: Sequence[str]) -> NDArray[Any] | None:
    """Each confidence as a sigmoid of its logit says it (Platt, 1999), fitted on the other folds' items alone.

    HELM fits and measures on the same items, which flatters; here whole clusters are held out, drawn by their digest. None for
    fewer than five items a fold.
    """
    import numpy as np

    fold = np.array([hashlib.sha256(one.encode()).digest()[0] % _FOLDS for one in clusters])
    if np.bincount(fold, minlength=_FOLDS).min() < 5:
        return None
    bounded = np.clip(confidence, _EDGE, 1 - _EDGE)
    logit = np.log(bounded / (1 - bounded))
    scaled = np.empty(len(confidence))
    for held in range(_FOLDS):
        outside = fold == held
        slope, shift = platt(logit[~outside], right[~outside])
        scaled[outside] = 1 / (1 + np.exp(-(slope * logit[outside] + shift)))
    return scaled


def platt(logit: NDArray[Any], right: NDArray[Any]) -> tuple[float, float]:
    """Slope and shift of the sigmoid, by Newton's method with steps halved; targets a little off 0 and 1, as Platt has them."""
    import numpy as np

    hits = float(right.sum())
    target = np.where(right > 0.5, (hits + 1) / (hits + 2), 1 / (len(right) - hits + 2))
    features = np.stack([logit, np.ones(len(logit))], 1)

    def loss(weights: NDArray[Any]) -> float:
        raw = features @ weights
        return float((np.logaddexp(0, raw) - target * raw).sum() + 5e-4 * ((weights - (1, 0)) ** 2).sum())

    weights = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(features @ weights)))
        gradient = features.T @ (p - target) + 1e-3 * (weights - (1, 0))
        curve = (features * (p * (1 - p))[:, None]).T @ features + 1e-3 * np.eye(2)
        move = np.linalg.solve(curve, gradient)
        step = 1.0
        while loss(weights - step * move) > loss(weights) and step > 1e-6:
            step /= 2
        weights = weights - step * move
        if np.abs(step * move).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def table(confidence: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> list[Mapping[str, float]]:
    """The reliability diagram in numbers: of each bin of equal width that holds items its borders, mean confidence, accuracy."""
    place = width_bins(confidence, bins)
    found: list[Mapping[str, float]] = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            found.append(
                {
                    "above": round(number / bins, 6),
                    "to": round((number + 1) / bins, 6),
                    "items": int(inside.sum()),
                    "confidence": round(float(confidence[inside].mean()), 6),
                    "accuracy": round(float(right[inside].mean()), 6),
                }
            )
    return found
