"""Items asked in other words, with other letters and about other people: what a sound model's answer does not depend on.

A kind is a function of a text, its language and a draw (`kinds.KINDS`); `twins` makes items of it. After HELM (Liang et al., 2022,
arXiv 2211.09110, section 4.5), with kinds of Chinese's own.
"""

from septet.evaluate.perturb.kinds import KINDS, Kind
from septet.evaluate.perturb.twins import perturbed, suite

__all__ = ["KINDS", "Kind", "perturbed", "suite"]
