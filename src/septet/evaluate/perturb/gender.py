"""Women for men and men for women: every pronoun, kinship word, form of address and given name of a text at once.

A counterfactual pair in the sense of HELM's gender perturbation (Liang et al., 2022) and of Zhao et al. (2018, arXiv
1804.06876): what is asked stays the same, so that a right answer stays right. Texts about the sexes as such or their bodies,
about people who are known and about customs, laws and patients are left as they are, for there the answer may change. The cues
are broad by intent, and still not complete: a change of score on a benchmark of knowledge is to be read beside its twins. The
words are ours (2026-11).
"""

from __future__ import annotations

import functools
import re
from random import Random

from septet.evaluate.perturb import hidden, swaps
from septet.evaluate.perturb.people import FAMILY, NAMES, alone

ENGLISH = tuple(
    tuple(pair.split("/"))
    for pair in """he/she himself/herself man/woman men/women boy/girl boys/girls male/female males/females gentleman/lady
    gentlemen/ladies sir/madam mr/ms mr/mrs father/mother fathers/mothers dad/mom dads/moms daddy/mommy son/daughter sons/daughters
    brother/sister brothers/sisters husband/wife husbands/wives uncle/aunt uncles/aunts nephew/niece nephews/nieces
    grandfather/grandmother grandfathers/grandmothers grandpa/grandma grandson/granddaughter grandsons/granddaughters
    stepfather/stepmother stepson/stepdaughter boyfriend/girlfriend boyfriends/girlfriends groom/bride widower/widow
    waiter/waitress waiters/waitresses actor/actress actors/actresses policeman/policewoman businessman/businesswoman
    salesman/saleswoman chairman/chairwoman spokesman/spokeswoman schoolboy/schoolgirl guy/gal guys/gals bachelor/bachelorette
    he's/she's he'd/she'd he'll/she'll""".split()
)
"""Word of a man, word of a woman. `his`, `him` and `her` are told apart by what follows."""

CHINESE = tuple(
    tuple(pair.split("/"))
    for pair in """他/她 先生/女士 男士/女士 男人/女人 男性/女性 男子/女子 男孩/女孩 男孩子/女孩子 男生/女生 男同学/女同学
    小伙子/小姑娘 男青年/女青年 男朋友/女朋友 男友/女友 男学生/女学生 男老师/女老师 男教师/女教师 男医生/女医生 男护士/女护士
    男司机/女司机 男员工/女员工 男职工/女职工 男演员/女演员 男方/女方 男童/女童 男婴/女婴 父亲/母亲 爸爸/妈妈 老爸/老妈 儿子/女儿
    哥哥/姐姐 弟弟/妹妹 大哥/大姐 丈夫/妻子 老公/老婆 爷爷/奶奶 外公/外婆 姥爷/姥姥 叔叔/阿姨 伯伯/伯母 孙子/孙女 外孙/外孙女
    侄子/侄女 外甥/外甥女 继父/继母 养父/养母 岳父/岳母 新郎/新娘 公公/婆婆 堂哥/堂姐 堂弟/堂妹 表哥/表姐 表弟/表妹 师兄/师姐
    师弟/师妹 学长/学姐 学弟/学妹""".split()
)
_SPARED = (
    "其他 他人 他乡 他国 他日 他山 吉他 利他 排他 维他命 他汀 他妈的 他媽 无他 斯他林 他律 他杀 他处 他方 他物 孙子兵法 "
    "君子 女士优先 男子汉 公公婆婆 叔叔阿姨 爷爷奶奶 爸爸妈妈 老爷爷 老奶奶 女子监狱 先生们女士们 女士们先生们 王子 公主"
).split()
_BODY = re.compile(
    r"(?<![A-Za-z])(?:pregnan|prostat|menstru|uter(?:us|ine)|ovar(?:y|ies|ian)|vagin|penis|testic|testoster|estrogen|sperm|semen|"
    r"childbirth|breast|menopaus|chromosome|hysterect|midwi|obstetr|gynaecolog|gynecolog|matern|patern|queen|king(?![a-z])|"
    r"prince|nun(?![a-z])|monk|pope|gender|sexis|feminis|sexual)"
    r"|怀孕|孕妇|妊娠|分娩|生育|产妇|月经|子宫|卵巢|阴道|阴茎|睾丸|前列腺|精子|精液|乳腺|乳房|更年期|绝经|染色体|雌激素|雄激素|哺乳|"
    r"产假|妇科|男科|性别|女权|男权|重男轻女|女娲|皇帝|皇后|太监|和尚|尼姑|退休年龄|婚龄",
    re.IGNORECASE,
)
# What is known of a person, of a custom, of a law or of a disease may hang on the sex.
_KNOWN = re.compile(
    r"(?<![A-Za-z])(?:president|senator|minister|governor|emperor|dictator|philosoph|poet|composer|novelist|painter|century|treaty|"
    r"slave|abolition|revolution|war(?![a-z])|bible|election|congress|parliament|impeach|resign|theor(?:y|ies|em)|published|wrote|"
    r"invented|discovered|founded|composed|patient|diagnos|symptom|year-old|chief justice|gene(?:s|tic)?(?![a-z])|pedigree|hormone|"
    r"endocrin|mutation|sickle|milk production|infant|claims|argues|holds that|according to|"
    r"(?:of|in) (?:wo)?man(?![a-z]))|(?<!\d)1\d{3}(?!\d)"
    r"|[a-z,] [A-Z][a-z]+(?: [A-Z]\.)? [A-Z][a-z]+"
    r"|皇|朝代|王朝|世纪|公元|历史|古代|古时|古人|诗|词牌|作家|作者|作品|文学|小说|名著|著作|人物|哲学|学者|思想|学派|尊称|被称|今指|指的是|"
    r"发明|科学家|音乐家|画家|英雄|名医|著名|风俗|习俗|礼|之喜|战争|总统|主席|圣人|佛|教义|经文|患者|病人|症状|诊断|查体|病史|治疗|入院|强奸|"
    r"婚姻法|刑法|遗传|色盲|血型|基因|他认为|她认为|红楼|西游|水浒|三国|铁木真|孙悟空"
)
# The sexes as such: what holds of one need not hold of the other, and a share of one is not a share of the other.
_SEXES = re.compile(
    r"(?<![A-Za-z])(?:fe)?males?(?![A-Za-z])|(?<![A-Za-z])(?<!two )(?<!three )(?<!the )(?<!these )(?<!those )(?:wo)?men(?![A-Za-z])"
    r"|男女|女男|男性|女性|男子|女子|妇女|女人|男人|[男女][职员]工|[男女][生童婴]",
    re.IGNORECASE,
)
_FULL_NAME = re.compile(rf"[{''.join(sorted(FAMILY))}][\u4e00-\u9fff]{{1,2}}(?:先生|女士)")
_HER = re.compile(r"(?<![A-Za-z0-9'’])(hers|her|his|him)(?![A-Za-z0-9])", re.IGNORECASE)
_NO_NOUN = re.compile(
    r"\s*(?:[^\w\s'\"“‘(]|$)|\s+(?:a|an|the|to|in|on|at|by|for|from|with|of|about|into|and|or|but|that|this|these|those|if|when|"
    r"while|because|as|than|is|was|were|are|has|had|will|would|can|could|who|which|what|how|why|where|not|he|she|it|they|we|you|"
    r"i|his|her|their|our|my|your|up|out|down|off|away|back|again|after|before|yesterday|today|tomorrow|there|here|some|any|so|"
    r"more|most|less|every|each|all|both|one|two|three|go|come|do|be|over|through|during|until|alone|very|too)\b",
    re.IGNORECASE,
)


def gender(text: str, language: str, draw: Random) -> str:
    """The text with women for men and men for women; as it is where the sexes' difference may be what is asked.

    Nothing is drawn: a name has its partner in the list of its origin.
    """
    del draw
    if any(pattern.search(text) for pattern in (_BODY, _KNOWN, _SEXES, _FULL_NAME)):
        return text
    text, taken = hidden.fixed(text, quoted=False)
    if language != "en":
        pairs = _both(CHINESE)
        text = swaps.swapped(text, swaps.found(text, pairs, _SPARED), pairs)
    if language != "zh":
        pairs = _both(ENGLISH)
        places = swaps.found(text, pairs)
        places += [(*match.span(), match[0].lower()) for match in _HER.finditer(text)]

        def new(start: int, end: int, word: str) -> str:
            del start
            owned = _NO_NOUN.match(text, end) is None
            if word in ("his", "her", "him", "hers"):
                return {
                    "his": "her" if owned else "hers",
                    "her": "his" if owned else "him",
                    "him": "her",
                    "hers": "his",
                }[word]
            return pairs[word]

        text = swaps.swapped(text, sorted(places), new)
    return hidden.shown(_named(text), taken)


def sides(text: str, language: str) -> tuple[int, int]:
    """How many words of a text speak of men, and how many of women."""
    men, women = _sides(language)
    places = swaps.found(text, {*men, *women}, _SPARED)
    return sum(word in men for _, _, word in places), sum(word in women for _, _, word in places)


@functools.cache
def _sides(language: str) -> tuple[frozenset[str], frozenset[str]]:
    pairs = [*(CHINESE if language != "en" else ()), *(ENGLISH if language != "zh" else ())]
    extra = (frozenset({"his", "him"}), frozenset({"her", "hers"})) if language != "zh" else (frozenset(), frozenset())
    return frozenset(man for man, _ in pairs) | extra[0], frozenset(woman for _, woman in pairs) | extra[1]


@functools.cache
def _both(pairs: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    """Each word with its partner; of two partners the first."""
    found: dict[str, str] = {}
    for man, woman in pairs:
        found.setdefault(man, woman)
        found.setdefault(woman, man)
    return found


def _named(text: str) -> str:
    """Given names of the lists with those of the other gender, of the same origin and place in the list."""
    new: dict[str, str] = {}
    for groups in NAMES.values():
        for men, women in groups.values():
            new.update(zip((*men, *women), (*women, *men), strict=True))
    return swaps.swapped(text, alone(text, swaps.found(text, new, fold=False)), new)
