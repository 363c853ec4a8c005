"""Toxic text by category: trained classifiers and word lists, and which groups of people a text speaks of.

The classifiers are linear models over hashed n-grams (`detect.linear`) that a team trains on its own labels, one probability a
category: abuse, hate (by race, gender, region, religion, age, disability as `hate.race`...), sexual, violence. Word lists hit
regardless of context, so their hits count as what the list's weight says. A mention of a group is not a finding: it is counted,
so that a filter can be held to account for the groups whose texts it hits.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ahocorasick_rs
import numpy as np

from septet.detect.lexicon import bounded
from septet.detect.linear import LinearScorer
from septet.detect.normalise import normalise
from septet.detect.span import Span

# Words that name groups, neutral ones first; a slur is a mention too. Ours, of everyday vocabulary (2026-11).
GROUPS: Mapping[str, str] = {
    "gender": "女性|女人|女生|女孩|女权|女拳|妇女|男性|男人|男生|男权|直男|母亲|孕妇|同性恋|双性恋|"
    "跨性别|变性|女司机|剩女|woman|women|"
    "girl*|female*|feminis*|man|men|boy*|male*|gay*|lesbian*|transgender*|trans|queer|bisexual*|bitch*|"
    "hoe|hoes|whore*|wom*n",
    "race": "黑人|白人|亚裔|华裔|非裔|犹太人|印第安人|混血|黄种人|少数民族|维吾尔族|藏族|回族|蒙古族|"
    "汉族|日本人|韩国人|印度人|非洲人|美国人|"
    "越南人|菲律宾人|俄罗斯人|洋人|老外|黑鬼|白皮|black|blacks|white|whites|asian*|african*|jew|jews|"
    "jewish|arab*|hispanic*|latino*|"
    "mexican*|chinese|indian*|immigrant*|nigg*|negro*|racis*|ethnic*",
    "region": "河南人|东北人|上海人|北京人|广东人|四川人|新疆人|西藏人|山东人|湖北人|武汉人|福建人|"
    "安徽人|江西人|湖南人|浙江人|温州人|潮汕人|"
    "台湾人|香港人|大陆人|内地人|外地人|本地人|农村人|乡下人|城里人|北方人|南方人|苏北人|凤凰男|地域|"
    "southerner*|northerner*|redneck*|"
    "hillbilly|hillbillies|rural people|foreigner*",
    "religion": "穆斯林|伊斯兰|基督徒|基督教|佛教|佛教徒|道教|天主教|犹太教|清真|回教|教徒|信徒|muslim*|"
    "islam*|christian*|catholic*|buddhis*|"
    "hindu*|judaism|atheis*|religio*",
    "age": "老人|老年人|老头|老太|大妈|大爷|小孩|儿童|青少年|未成年|熊孩子|九零后|零零后|80后|90后|00后|"
    "elderly|old people|old man|old woman|"
    "senior citizen*|teenager*|kid|kids|child|children|boomer*|millennial*",
    "disability": "残疾人|残障|盲人|聋人|聋哑|自闭症|智障|弱智|瘸子|精神病|抑郁症|轮椅|残废|disabled|"
    "disabilit*|blind|deaf|autis*|wheelchair*|"
    "retard*|mental illness|cripple*|down syndrome",
}
_WORDS = [
    (word.removesuffix("*"), group, word.endswith("*")) for group, words in GROUPS.items() for word in words.split("|")
]
_AUTOMATON = ahocorasick_rs.AhoCorasick(
    [word for word, _, _ in _WORDS], implementation=ahocorasick_rs.Implementation.ContiguousNFA
)
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]+|[^。！？!?；;\n]+\Z")
# A text is judged whole up to so many characters; a longer one in pieces about as long as the remarks that label sets hold
# (48 characters on average in the Chinese ones, 2026-11): in longer pieces one bad sentence drowns among good ones.
_PASSAGE, _REMARK = 300, 48


def mentions(text: str) -> set[str]:
    """The groups that a text speaks of, kindly or not."""
    plain = normalise(text).text
    found = set()
    for which, start, end in _AUTOMATON.find_matches_as_indexes(plain, overlapping=True):
        _, group, open_ended = _WORDS[which]
        if group not in found and bounded(plain, start, end, open_ended):
            found.add(group)
    return found


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence; together they are the text."""
    for match in _SENTENCE.finditer(text):
        yield match.span()


def _passages(text: str) -> list[str]:
    """Whole sentences, short ones joined until they are as long as a remark; a very long one is cut."""
    pieces, start = [], 0
    for _, end in sentences(text):
        if end - start >= _REMARK:
            pieces += [text[at : min(end, at + _PASSAGE)] for at in range(start, end, _PASSAGE)]
            start = end
    return [*pieces, text[start:]] if start < len(text) else pieces


class Toxicity:
    """Several classifiers as one: of a category that two know, the surer one counts."""

    def __init__(self, scorers: Sequence[LinearScorer], threshold: float, thresholds: Mapping[str, float]):
        self._scorers = tuple(scorers)
        self.categories = tuple(sorted({name for scorer in scorers for name in scorer.classes}))
        self.bounds = np.array([thresholds.get(name, threshold) for name in self.categories])

    def score_all(self, column: Any) -> Any:
        """The probability of each category for each text: float64 (texts, categories).

        A long text is scored piece by piece, and the worst piece counts.
        """
        texts = column if isinstance(column, list) else column.to_pylist()
        pieces: list[str] = []
        starts = []
        for text in texts:
            starts.append(len(pieces))
            pieces += [text or ""] if len(text or "") <= _PASSAGE else _passages(text)
        scores = self._of_pieces(pieces)
        return np.maximum.reduceat(scores, starts) if len(texts) and len(self.categories) else scores

    def _of_pieces(self, pieces: list[str]) -> Any:
        best = np.zeros((len(pieces), len(self.categories)))
        for scorer in self._scorers:
            scores = scorer.score_all(pieces)
            for place, name in enumerate(scorer.classes):
                at = self.categories.index(name)
                best[:, at] = np.maximum(best[:, at], scores[:, place])
        return best

    def find(self, text: str) -> list[Span]:
        """A span over the whole text for each category at or above its threshold."""
        (scores,) = self.score_all([text])
        return [
            Span(0, len(text), f"toxicity.{name}", float(score), f"toxicity.{name}")
            for name, score, bound in zip(self.categories, scores, self.bounds, strict=True)
            if score >= bound and text
        ]
