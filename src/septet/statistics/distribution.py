"""The two distributions that intervals need: the normal, and Student's t for few items or few clusters.

The t distribution goes over the regularised incomplete beta function, computed by its continued fraction with Lentz's method
(Press et al., Numerical Recipes, 6.4). Its quantile is found by halving. No package besides Python's own is needed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_cdf(x: float) -> float:
    """The chance that a standard normal number is at most x."""
    return _NORMAL.cdf(x)


def normal_quantile(p: float) -> float:
    """The number below which a standard normal number stays with chance p. Raises ValueError outside of 0 and 1."""
    if not 0 < p < 1:
        raise ValueError(f"a quantile's chance lies between 0 and 1, not at {p}")
    return _NORMAL.inv_cdf(p)


def t_cdf(x: float, freedom: float) -> float:
    """The chance that Student's t with so many degrees of freedom is at most x. Raises ValueError where they are not above 0."""
    if not freedom > 0:
        raise ValueError(f"Student's t has more than 0 degrees of freedom, not {freedom}")
    if math.isinf(freedom):
        return normal_cdf(x)
    if math.isinf(x):
        return float(x > 0)
    square = x * x
    # Of the two forms of the same tail the one that does not lose its digits in 1 - (nearly 1).
    if square < freedom:
        middle = incomplete_beta(0.5, freedom / 2, square / (freedom + square))
        return 0.5 + math.copysign(middle / 2, x)
    tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square)) / 2
    return 1 - tail if x > 0 else tail


@lru_cache(4096)
def t_quantile(p: float, freedom: float) -> float:
    """The number below which Student's t stays with chance p. Raises ValueError for what is no chance or no freedom."""
    if not 0 < p < 1:
        raise ValueError(f"a quantile's chance lies between 0 and 1, not at {p}")
    if p < 0.5:
        return -t_quantile(1 - p, freedom)
    # Student's tails are the heavier ones: the normal quantile lies below, and is near where freedom is large.
    low = max(0.0, _NORMAL.inv_cdf(p))
    high = low * 1.05 + 1e-3
    while t_cdf(high, freedom) < p:
        low, high = high, high * 2
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if t_cdf(middle, freedom) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function of x from 0 to 1, for a and b above 0."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    upper, lower = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = lower
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            lower = 1 / ((1 + term * lower) or tiny)
            upper = (1 + term / upper) or tiny
            value *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return value
