"""People of one origin for people of another: given names, surnames in forms of address, and words for kin that differ by region.

After HELM's person-name and dialect perturbations (Liang et al., 2022), which follow Caliskan et al. (2017) in taking names for
groups; with lists of our own, for Chinese by region and people. Gender stays. A name beside another word with a capital may be a
well-known person's and stays: what is known of that person is another question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from septet.evaluate.perturb import hidden, swaps
from septet.evaluate.perturb.people import ADDRESS, CHINESE_SURNAMES, NAMES, SURNAMES, TITLE, alone


def _choice(groups: Mapping[str, Sequence[str]]) -> str:
    return "|".join(sorted((one for group in groups.values() for one in group), key=lambda one: (-len(one), one)))


_SURNAME = re.compile(rf"\b({TITLE})({_choice(SURNAMES)})(?![\w-])")
_CHINESE_TITLES = "|".join(
    "先生 女士 小姐 阿姨 叔叔 大爷 大妈 大伯 奶奶 爷爷 老师 医生 大夫 经理 主任 师傅 某某 某 同学 律师 教授 老板 警官 护士".split()
)
# Before these a surname is the end of another word: 国王先生, 园丁师傅, 主张律师.
_CHINESE_SURNAME = re.compile(
    rf"(?<![国帝女魔主扩开紧夸森树沙金橙明表坦告园钻宝岩玉恐小老])({_choice(CHINESE_SURNAMES)})(?={_CHINESE_TITLES})"
)


def dialect_names(text: str, language: str, draw: Random) -> str:
    """The text with other people in it, the same one always with the same new name; as it is where it names nobody of the lists."""
    text, taken = hidden.fixed(text, quoted=False)
    for spoken in ("zh", "en"):
        if language not in (spoken, "mixed"):
            continue
        text = _given(text, NAMES[spoken], draw)
        if spoken == "en":
            text = _surnames(text, _SURNAME, 2, SURNAMES, draw)
        else:
            text = _surnames(text, _CHINESE_SURNAME, 1, CHINESE_SURNAMES, draw)
        pairs = dict(ADDRESS[spoken]) | {two: one for one, two in ADDRESS[spoken]}
        text = swaps.swapped(text, swaps.found(text, pairs), pairs)
    return hidden.shown(text, taken)


def _given(text: str, groups: Mapping[str, tuple[Sequence[str], Sequence[str]]], draw: Random) -> str:
    """Given names: all of one origin become names of one other origin, as far as its names go."""
    where = {name: (group, side) for group, both in groups.items() for side in (0, 1) for name in both[side]}
    places = alone(text, swaps.found(text, where, fold=False))
    present = {word for _, _, word in places}
    target: dict[str, str] = {}
    new: dict[str, str] = {}
    for _, _, word in places:
        if word in new:
            continue
        group, side = where[word]
        if group not in target:
            target[group] = draw.choice([one for one in groups if one != group])
        free = [one for one in groups[target[group]][side] if one not in new.values() and one not in present]
        spare = [
            one for other in groups if other != group for one in groups[other][side]
            if one not in new.values() and one not in present
        ]  # fmt: skip
        # Two people must not become one; where all names are taken, one keeps its own.
        new[word] = draw.choice(free or spare or [word])
    return swaps.swapped(text, places, new)


def _surnames(text: str, pattern: re.Pattern[str], at: int, groups: Mapping[str, Sequence[str]], draw: Random) -> str:
    where = {name: group for group, names in groups.items() for name in names}
    present = {match[at] for match in pattern.finditer(text)}
    new: dict[str, str] = {}
    for name in sorted(present):
        others = [one for one in where if where[one] != where[name] and one not in present and one not in new.values()]
        new[name] = draw.choice(others or [name])
    return pattern.sub(lambda match: match[0][: match.start(at) - match.start()] + new[match[at]], text)
