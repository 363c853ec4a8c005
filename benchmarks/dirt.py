"""What a crawl brings beside good text: site frames, copies, wrong decodings, listings, machine output, spam.

Each sort is made by a process and not from a list of finished lines, so that no rule of a filter fits it by its wording: sites
draw their own menus and footers, spam draws its phrases and fillers from the pool. `frame` puts a site's frame around a page;
`MAKERS` make pages of one sort from a pool of good texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MENU = {
    "en": (
        "Home|About|Contact|Products|Services|Blog|News|Forum|Gallery|Careers|Press|Events|FAQ|Support|Downloads|"
        "Sign in|Register|My account|Cart (0)|Checkout|Wishlist|Track order|Shipping|Returns|Site map|RSS|Archive|"
        "Most read|Editor's picks|Sports|Business|Health|Travel|Technology|Opinion|Classifieds|Jobs|Weather|Print"
    ).split("|"),
    "zh": (
        "首页|关于我们|联系我们|产品中心|新闻动态|企业文化|在线留言|人才招聘|成功案例|技术支持|下载中心|会员登录|免费注册|购物车|我的订单|"
        "帮助中心|网站地图|论坛|图片|视频|财经|体育|娱乐|汽车|房产|教育|健康|旅游|军事|科技|排行榜|最新更新|热门标签|手机版|客服|投诉建议"
    ).split("|"),
}
FOOT = {
    "en": (
        "Copyright {year} {name}. All rights reserved.",
        "{name} uses cookies to improve this site; by going on you agree to our cookie policy.",
        "Terms of use | Privacy policy | Accessibility | Contact {name}",
        "Subscribe to the {name} newsletter and never miss an update!",
        "Share this: Facebook Twitter Reddit Email | {count} comments",
        "Posted by admin on {year}-0{digit}-1{digit} | {count} views | Leave a reply",
        "Log in to post a comment. Not a member yet? Join {name} for free.",
        "Powered by {name} CMS v{digit}.{digit} | Page generated in 0.{count} seconds",
    ),
    "zh": (
        "版权所有 © {year} {name} 保留一切权利",
        "{name}所载文章、数据仅供参考，使用前务请仔细阅读法律声明",
        "ICP备{count}{digit}号-{digit} 技术支持：{name}",
        "关注{name}微信公众号，获取更多精彩内容",
        "分享到： 微信 微博 QQ空间 | 阅读 {count} 次 | 评论 {digit}",
        "上一篇：没有了 下一篇：{name}最新公告",
        "发布时间：{year}-0{digit}-1{digit} 来源：{name} 作者：admin 浏览：{count}次",
        "您还没有登录，请登录后发表评论，还不是{name}会员？立即注册",
    ),
}
SELL = {
    "en": (
        "online casino|cheap flights|payday loan|replica watches|weight loss pills|essay writing service|phone psychic|"
        "credit repair|bitcoin doubling|free ringtones|luxury handbags|hair transplant|used cars|roof repair|web hosting|"
        "dating site|sports betting|mobile slots|cialis|seo backlinks"
    ).split("|"),
    "zh": (
        "时时彩|棋牌游戏|小额贷款|代开发票|减肥茶|私服|高仿手表|信用卡套现|代写论文|办证|股票推荐|足球投注|真人荷官|皮肤病医院|不孕不育|搬家公司|"
        "开锁|租车|二手车|网站建设|热水器维修|加盟"
    ).split("|"),
}
PITCH = {
    "en": (
        "Looking for {key}? {city} {key} is the best {key} in {city}.",
        "Our {key} experts offer {key} at the lowest price, order {key} now!!!",
        "{key} {city}, best {key}, cheap {key}, {key} reviews, {key} near me",
        "Buy {key} online without delay, {count} happy customers in {city} trust us.",
        "{filler} {key} {filler}",
        "Call {count}-{count} today and get {digit}0% off any {key}.",
    ),
    "zh": (
        "{city}{key}哪家好？{city}{key}首选我们，专业{key}{digit}0年。",
        "{key},{city}{key},{key}多少钱,{city}最好的{key},{key}官网",
        "{city}{key}电话{count}{count}，{key}价格优惠，立即咨询！",
        "{filler}{key}{filler}",
        "想了解更多{key}信息请点击进入{key}平台，注册送{count}元。",
        "【{key}】{count}人已加入，稳定高效，{city}地区包邮。",
    ),
}

Pages = Sequence[str]
Maker = Callable[[Pages, str, random.Random], str]


class Site:
    """A site of its own menu, footer and name, as its pages show them."""

    def __init__(self, pool: Pages, tongue: str, draw: random.Random) -> None:
        self.name = name(pool, tongue, draw)
        joint = draw.choice((" | ", " ", "\n", " · ", " > ", " / "))
        self.head = joint.join(draw.sample(MENU[tongue], draw.randint(6, 16)))
        feet = draw.sample(FOOT[tongue], draw.randint(2, 5))
        self.foot = "\n".join(filled(one, self.name, tongue, pool, draw) for one in feet)


def name(pool: Pages, tongue: str, draw: random.Random) -> str:
    """A name of words of the pool."""
    return "".join(some(pool, draw, 3, 4).split()) if tongue == "zh" else some(pool, draw, 8, 20).title()


def some(pool: Pages, draw: random.Random, least: int, most: int) -> str:
    """A stretch of a page of the pool, on one line."""
    text = draw.choice(pool)
    at = draw.randrange(max(1, len(text) - most))
    return " ".join(text[at : at + draw.randint(least, most)].split()) or "-"


def filled(form: str, called: str, tongue: str, pool: Pages, draw: random.Random) -> str:
    return form.format(
        year=draw.randint(2003, 2024),
        name=called,
        count=draw.randint(100, 9999),
        digit=draw.randint(1, 9),
        key=draw.choice(SELL[tongue]),
        city=name(pool, tongue, draw),
        filler=some(pool, draw, 20, 80),
    )


def frame(text: str, site: Site, pool: Pages, draw: random.Random) -> str:
    """A page as its site shows it: menu above, titles of other pages and footer below."""
    titles = [some(pool, draw, 12, 40) for _ in range(draw.randint(0, 6))]
    return "\n".join([site.head, text, *titles, site.foot])


def listing(pool: Pages, tongue: str, draw: random.Random) -> str:
    """An index page: menu and titles, no text."""
    site = Site(pool, tongue, draw)
    titles = [
        f"{some(pool, draw, 10, 36)} {draw.choice(('', '[2014-05-12]', '(12)', '»'))}"
        for _ in range(draw.randint(15, 60))
    ]
    return "\n".join([site.head, *titles, site.foot])


def snippets(pool: Pages, tongue: str, draw: random.Random) -> str:  # noqa: ARG001 - one shape for all makers
    """A page of search results or teasers: starts of texts, cut."""
    return "\n".join(some(pool, draw, 60, 160) + "..." for _ in range(draw.randint(8, 30)))


def machine(pool: Pages, tongue: str, draw: random.Random) -> str:  # noqa: ARG001 - one shape for all makers
    """What programs write: logs, tables of numbers, digests, addresses, part lists."""
    number = draw.randint
    rows = {
        "log": lambda: (
            f"[{number(10, 23)}:{number(10, 59)}:{number(10, 59)}] {draw.choice(('INFO', 'WARN', 'ERROR'))} "
            f"worker-{number(1, 64)}: request {number(10**7, 10**8)} took {number(1, 900)} ms status={number(200, 504)}"
        ),
        "numbers": lambda: "\t".join(f"{draw.gauss(0, 90):.{draw.randint(0, 4)}f}" for _ in range(number(4, 12))),
        "digests": lambda: f"{draw.getrandbits(160):040x}  {number(1, 10**6)}.bin",
        "addresses": lambda: (
            f"http://www.{draw.getrandbits(30):x}.com/{draw.getrandbits(20):x}/{number(1, 9999)}.html?id={number(1, 10**5)}"
        ),
        "parts": lambda: (
            f"SKU-{number(10**5, 10**6)} {draw.choice('ABCDEF')}{number(10, 99)}-{number(1, 9)} "
            f"{number(1, 500)} pcs {number(1, 999)}.{number(10, 99)}"
        ),
    }
    row = rows[draw.choice(sorted(rows))]
    return "\n".join(row() for _ in range(draw.randint(15, 70)))


def spam(pool: Pages, tongue: str, draw: random.Random) -> str:
    """A page made to be found: two or three things to sell, again and again, with stolen filler in between."""
    keys = draw.sample(SELL[tongue], draw.randint(1, 3))
    lines = [
        filled(draw.choice(PITCH[tongue]).replace("{key}", draw.choice(keys)), "", tongue, pool, draw)
        for _ in range(draw.randint(10, 45))
    ]
    return draw.choice(("\n", " ")).join(lines)


def salad(pool: Pages, tongue: str, draw: random.Random) -> str:
    """Words without order: a page spun by a machine."""
    text = draw.choice(pool)
    words = list("".join(text.split())) if tongue == "zh" else text.split()
    draw.shuffle(words)
    return ("" if tongue == "zh" else " ").join(words)


def garbled(pool: Pages, tongue: str, draw: random.Random) -> str:
    """A page decoded wrongly; in English that shows where a typographer's quotes and dashes stood."""
    text = draw.choice(pool)
    if tongue == "en":
        text = text.replace("'", "’").replace(" - ", " – ").replace('"', "“")
        return text.encode("utf-8").decode("cp1252", "replace")
    wrong = draw.choice((("utf-8", "latin-1"), ("utf-8", "gb18030"), ("gb18030", "latin-1"), ("utf-8", "cp1252")))
    return text.encode(wrong[0]).decode(wrong[1], "replace")


MAKERS: dict[str, Maker] = {
    "listing": listing,
    "snippets": snippets,
    "machine output": machine,
    "spam": spam,
    "word salad": salad,
    "garbled": garbled,
}
