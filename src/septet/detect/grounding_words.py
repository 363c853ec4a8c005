"""The words that turn a sentence into another one: negations, opposites, comparisons, and those that say nothing of their own."""

import re

from septet.detect.grounding_tokens import Tokens

NOT_ZH = re.compile(
    r"不得不|不(?:仅|但(?!是)|过(?![度分])|同|断|论|管|久|妨|愧|料|禁|外乎|动产|锈|菲|时|惜|一|利|良|足|满|超过|超出|"
    r"高于|多于|大于|低于|少于|小于|迟于|晚于|早于)|"
    r"未(?:来|婚|成年|必)|非(?:常|洲|凡|典|法|但|要)|无(?:论|锡|线|数|疑|形|穷|非|名|机|意|双|偿|限|敌)|没收|否(?:则|"
    r"定)|是否|能否|可否|"
    r"(?P<not>不得|不能|不可|不应|不准|不许|不予|不会|不必|不须|不需|禁止|严禁|杜绝|没有|从未|尚未|并未|未曾|毫无|并非|"
    r"绝非|除外|拒绝|"
    r"不|未|没|无|非|勿|毋|莫)"
)
"""Chinese negations; what the first branches catch holds a negating character and negates nothing."""
NOT_EN = frozenset("not no never neither nor without cannot none nobody nothing unable hardly prohibit prohibits prohibited forbid "
                   "forbids forbidden fails refuses".split())  # fmt: skip
_COMPARED_EN = re.compile(
    r"\b(?:no|not) (?:later|more|less|fewer|greater|earlier|longer|higher|lower|exceed\w*|only)(?: than)?\b|\bnot exceed\w*",
    re.I,
)
LEAST = re.compile(
    "(?:不少于|不低于|不小于|不早于|不短于|至少|最少|起码|以上|at least|minimum|or more|or greater|"
    "no(?:t)? (?:less|fewer|earlier|lower) than)",
    re.I,
)
MOST = re.compile(
    "(?:不超过|不超出|不高于|不多于|不大于|不迟于|不晚于|不长于|至多|最多|以下|以内|之内|at most|up to|"
    r"no(?:t)? (?:more|later|greater|longer|higher) than|not exceed\w*|maximum|within|or less|or fewer)",
    re.I,
)
OVER = re.compile(
    r"(?<!不)(?:超过|超出|高于|多于|大于|逾|more than|over|exceed\w*|above|greater than|higher than)", re.I
)
UNDER = re.compile(r"(?<!不)(?:低于|少于|小于|不足|不满|未满|less than|fewer than|under|below|lower than)", re.I)

JOINING = frozenset(
    (
        "and or but nor as well both either about concerning regarding under over upon per via within however although "
        "though while "
        "because since therefore thus hence also such other including include among between during through than then "
        "so if when "
        "where which who that according further may must shall should will would can could might 和 与 及 或 以 、"
    ).split()
)
"""English words that join others, and those of both languages round which two parties may change places."""
NEUTRAL = frozenset(
    (
        "不得 不能 不可 不应 不准 不许 不予 不会 禁止 严禁 没有 未 不 无 "
        "应当 应该 应 须 必须 需 需要 务必 可以 可 能 能够 得以 根据 按照 依照 依据 按 依 据 遵照 以及 及 和 与 或 "
        "或者 并 并且 而且 且 同时 如 如果 若 "
        "假如 倘若 但 但是 不过 可是 然而 因 因为 由于 所以 因此 因而 自 从 于 在 对 对于 向 给 给予 为 是 系 即 该 此 "
        "这 本 其 那 这个 那个 等 所 之 "
        "而 将 把 被 由 以 使 让 就 都 也 还 又 才 则 均 各 每 某 另 另外 其中 其他 有关 相关 关于 目前 现在 当前 现 "
        "已 已经 曾 曾经 正在 着 过 地 得 "
        "进行 开展 做 作 当 时 后 前 中 上 下 内 里 个 位 名 种 项 一 有 会 要 去 来 到 至 如下 以下 以上 例如 比如 "
        "即可 方可 情况 情形 的话 是的 资料 文件 规定"
    ).split()
)
"""Words whose exchange leaves a statement what it was, or that only join."""

_PAIRS = (
    "增加:减少 增长:下降 上升:下降 提高:降低 上涨:下跌 扩大:缩小 高:低 大:小 多:少 长:短 早:晚 前:后 之前:之后 "
    "以前:以后 事前:事后 上:下 内:外 "
    "以上:以下 最高:最低 最大:最小 最多:最少 至多:至少 最早:最晚 开始:结束 允许:禁止 可以:禁止 同意:反对 批准:驳回 "
    "接受:拒绝 支持:反对 有权:无权 "
    "有效:无效 合法:非法 合法:违法 有偿:无偿 公开:保密 买入:卖出 购买:出售 买:卖 收入:支出 借入:借出 存入:取出 "
    "盈利:亏损 流入:流出 进口:出口 "
    "成功:失败 胜:负 全部:部分 强制:自愿 主要:次要 直接:间接 故意:过失 国内:国外 境内:境外 城市:农村 男:女 父:母 东:西 "
    "南:北 左:右 "
    "开放:关闭 增:减 升:降 优先:劣后 "
    "increase:decrease increased:decreased increases:decreases increasing:decreasing higher:lower more:less more:fewer "
    "above:below "
    "over:under before:after prior:subsequent maximum:minimum most:least allow:prohibit allowed:prohibited "
    "permitted:prohibited "
    "permit:prohibit accept:reject accepted:rejected approve:deny approved:denied include:exclude includes:excludes "
    "including:excluding "
    "included:excluded lawful:unlawful legal:illegal valid:invalid able:unable authorized:unauthorized credit:debit buy:sell "
    "bought:sold purchase:sale borrow:lend borrower:lender lessee:lessor buyer:seller employee:employer profit:loss gain:loss "
    "gains:losses income:expense income:expenses revenue:expense asset:liability assets:liabilities receivable:payable "
    "with:without "
    "all:some always:sometimes first:last start:end starts:ends opened:closed short:long short-term:long-term "
    "domestic:foreign public:private current:non-current favorable:unfavorable favourable:unfavourable positive:negative "
    "internal:external early:late earlier:later rose:fell up:down upper:lower inside:outside direct:indirect majority:minority "
    "initial:final mandatory:optional required:optional open:closed in:out open-end:closed-end"
)  # fmt: skip
POINTING = re.compile(
    r"[该本此这其它他她]|(?:it|its|this|these|that|those|such|he|she|they|his|her|their|we|our)\b", re.I
)
"""At the head of a stretch: it points at something that was named before."""
COPULAS = frozenset("是 为 叫 即 系 由 被 is are was were be been called means".split())
ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth last".split())
DUTIES = (frozenset(("must", "shall", "应当", "必须", "应")), frozenset(("may", "can", "可以", "可")))
"""What one has to do, and what one is free to do; before a negation they say the same."""
OPPOSITES = frozenset(frozenset(pair.split(":")) for pair in _PAIRS.split())
_PREFIXES = ("un", "in", "im", "il", "ir", "non", "non-", "dis")


VOICE = re.compile(r"[被由受]|为.{1,12}所|\bby\b|'s\b", re.I)
"""What lets two parties change places without changing their parts."""


def opposite(one: str, other: str) -> bool:
    """Whether two words say the reverse of each other."""
    if frozenset((one, other)) in OPPOSITES:
        return True
    short, long = sorted((one, other), key=len)
    return len(short) > 3 and short.isascii() and any(long == prefix + short for prefix in _PREFIXES)


def negations(tokens: Tokens) -> list[tuple[int, int]]:
    """First and last token of each negation of a text."""
    said = tokens.view.text
    spans = [(m.start("not"), m.end("not")) for m in NOT_ZH.finditer(said) if m["not"]] if not said.isascii() else []
    compared = [m.span() for m in _COMPARED_EN.finditer(said)]
    found = []
    for place, key in enumerate(tokens.keys):
        start = tokens.starts[place]
        if key in NOT_EN and not any(a <= start < b for a, b in compared):
            found.append((place, place))
    if spans:
        at = 0
        for first, last in spans:
            while at < len(tokens.starts) and tokens.starts[at] < first:
                at += 1
            inside = at
            while inside + 1 < len(tokens.starts) and tokens.starts[inside + 1] < last:
                inside += 1
            if at < len(tokens.starts) and tokens.starts[at] < last:
                found.append((at, inside))
    return sorted(found)


def bound(said: str, start: int, end: int) -> str:
    """How a number at a place of a text is bounded: `least`, `most`, `over`, `under`, or "" where nothing says so."""
    before, after = said[max(0, start - 24) : start], said[end : end + 10]
    before = re.split(r"[,，;；。]|\d", before)[-1]
    after = re.split(r"[,，;；。]|\d", after)[0]
    for name, pattern in (("least", LEAST), ("most", MOST), ("over", OVER), ("under", UNDER)):
        if pattern.search(before) or (
            name in ("least", "most") and re.match(rf"[^\W\d]{{0,3}} ?{pattern.pattern}", after, re.I)
        ):
            return name
    return ""


UPWARD, DOWNWARD = frozenset(("least", "over")), frozenset(("most", "under"))
