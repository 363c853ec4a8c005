"""Names of people and postal addresses, by their cues and their shape; no model.

A Chinese name needs a cue before it (姓名, 联系人, 我叫) or a title behind it, and a surname; an English name needs a cue or
a title and capitals. A full name that was found once counts wherever it stands in the text. What has no cue is left to a
named-entity detector, which can be added by entry point.
"""

import re

from septet.detect.form import Cue, Form, Found, rule_of
from septet.kernels import scan, shapes

DOUBLE = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|夏侯|端木|司徒|南宫|独孤|澹台|"
    "轩辕|呼延|闻人|东郭|百里|西门"
)
SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊"
    "秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪"
    "梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应"
    "臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
# Surnames that are everyday words as well: they count only behind a colon or a verb of naming.
AMBIGUOUS = frozenset("和应明申于时向成方常包关高全安单连能管游路解计师党古平温文武冷满盛权白米")
_SURNAME = f"(?:{DOUBLE}|[{SURNAMES}])"
_HAN = "\u4e00-\u9fff"
_STRONG = (
    "姓名|户名|开户人|收款人|付款人|收件人|寄件人|联系人|持卡人|申请人|借款人|担保人|投保人|"
    "被保险人|受益人|委托人|代理人|经办人|负责人|法定代表人|法人代表|法人"
    "|患者|病人|当事人|原告|被告|甲方|乙方|房东|租客|业主|车主|驾驶员|嫌疑人|报案人|投诉人|"
    "客户姓名|客户名称|真实姓名|紧急联系人|曾用名|家长|配偶|监护人"
)
_WEAK = "客户|用户|员工|经理|我叫|他叫|她叫|名叫|名字叫|名字是|本人|学生|老师|同事|医生|律师|柜员"
# What may follow a name directly in a sentence.
_AFTER = (
    r"(?=$|[^\w]|[0-9A-Za-z]|今年|现年|现|身份|证件|手机|电话|联系|住址|住在|住|地址|出生|生于|"
    r"来自|男|女|先生|女士|同志|老师|于|在|因|向|与|和|及|的|是|为|将|已|系|持|拟|要|想|申请|办理|"
    r"购买|反映|投诉|表示|说|称|账|卡|邮箱|微信|性别|年龄|护照|户籍)"
)
_NAME_ZH = re.compile(
    rf"(?:(?P<strong>{_STRONG})[\"']?(?:\s*(?:为|是|叫)?\s*[:：]?\s*[\"']?)|(?P<weak>{_WEAK})(?:\s*[:：]?\s*))"
    rf"(?P<name>{_SURNAME}(?:[{_HAN}]{{2}}{_AFTER}|[{_HAN}]{{1}}{_AFTER}|"
    rf"[{_HAN}]\s[{_HAN}](?=[\s,，。;；]|$)))"
)
_STRONG_OPEN = re.compile(rf"(?:{_STRONG})\s*(?:是|为|叫)?\s*[:：]\s*(?P<name>{_SURNAME}[{_HAN}]{{1,2}})")
_KEYED_ZH = re.compile(rf"(?i:name)[\"']?\s*[:=]\s*[\"']?(?P<name>{_SURNAME}[{_HAN}]{{1,3}})(?![{_HAN}])")
_TITLED_ZH = re.compile(rf"(?<![{_HAN}])(?P<name>{_SURNAME}[{_HAN}]{{1,2}})(?=先生|女士|小姐|同志)")
_NOT_NAMES = frozenset(
    (
        "经理|先生|女士|小姐|总监|主任|老师|同志|总|行长|局长|师傅|律师|医生|教授|部长|科长|处长|"
        "董事|代表|人员|信息|资料|号码|电话|单位|公司|银行|名称|机构|不详|未知|本人|如下|之间|之一|"
        "方面|章程|章节|查明"
    ).split("|")
)
# Everyday words that begin like a name: without a colon or a verb of naming before them they are what they look like.
_WORDS = frozenset(
    (
        "查看 查询 查找 查阅 查验 查收 高级 高效 方便 方法 方式 方案 安全 "
        "安装 安排 安静 任何 任意 任务 任命 常见 常用 常规 明确 明细 明显 "
        "成功 成为 成本 能够 能力 解决 解除 解释 解答 支持 支付 关闭 关于 "
        "关联 经常 经过 计算 计划 项目 管理 全部 全面 全额 温馨 文件 文档 "
        "权利 权限 平台 平均 连接 连续 连带 路径 路线 车辆 车票 房屋 房产 "
        "金额 金融 金属 石油 程序 程度 余额 应当 应用 应收 水平 时间 时候 "
        "单独 单位 单笔 包括 包含 包装 游戏 段落 古代 黄金 黄色 白色 花费 "
        "花园 易于 党员 封面 景点 满足 满意 冷静 和平 和谐 和解 左右 祝贺 "
        "尚未 符合 季度 曲线 凌晨 盛大 蓝色 项链 宫殿 费用 费率 席位 卫生 "
        "卫星 宗旨 边界 师傅 商品 商户 商业 商务 荣誉 仲裁 麻烦 迟到 顾客 "
        "顾问 钱包 严格 严重 康复 施工 施行 章节 申请 申报 申诉 欧元 焦点 "
        "夏季 付款 付费 罗列 许可 许多 曾经 董事 杜绝 陆续 陆地 范围 周期 "
        "周围 周末 马上 何时 林业 郑重 张贴 陈述 陈列 黎明 颜色 庞大 甘愿 "
        "向上 史料 温度 文字 文化 安心 安保 严禁 毛利 华人 梅花 石头 江河 "
        "孔子 龙头 于是 万元 万一 "
    ).split()
)
_WORD = r"[A-Z](?:[a-zA-Zà-ÿ]|['-](?=[A-Za-z]))+"
_NAME_EN = re.compile(
    r"(?:(?<![A-Za-z])(?:(?i:my name is|name is|name was|i am called|this is|called|customer name|"
    r"client name|full name|first name|last name|surname|name(?=\s*[:,])|(?<=(?-i:the ))(?-i:name)|"
    r"cardholder|account holder|beneficiary|payee|recipient|contact(?: person)?|patient|applicant|"
    r"borrower|attn\.?|dear|regards,|sincerely,|signed by)"
    r"\s*(?:[:,]\s*|\s)|(?i:customer|client|owner|employee|sender|receiver|buyer|seller|user)"
    r"\s*:\s*|(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Madam)\.?\s))"
    rf"(?P<name>{_WORD}(?:\s(?:[A-Z]\.?\s)?(?:(?:van|von|de|der|la|bin|al)\s)?{_WORD}){{0,2}})"
)
NOT_ENGLISH_NAMES = frozenset(
    "Sir Madam Customer Client User Team All Colleague Colleagues Support Bank The This That It "
    "Not Your My Our A An And Or Of For In On At To Is Are Was "
    "Name Address Phone Email Date Number Card Account Manager Friend Friends Everyone Please "
    "Thank Thanks Hiring Board Members Captain I You He She We They".split()
)
_PROVINCE = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|"
    "广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_PART = rf"[{_HAN}]{{1,8}}?"
_ADDRESS_ZH = re.compile(
    rf"(?:(?:中国)?(?:{_PROVINCE})(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?)?"
    rf"(?:[{_HAN}]{{2,7}}?(?:市|自治州|地区|盟))?(?:[{_HAN}]{{1,6}}?(?:区|县|旗|镇|乡|街道|新区|开发区)){{0,3}}"
    rf"(?:[{_HAN}0-9]{{1,10}}?(?:大道|大街|路|街|巷|弄|胡同|道|村|里|园|苑|庄|屯)(?:[东南西北中]段?)?)"
    r"\s?(?:[0-9一二三四五六七八九十百零A-Za-z甲乙丙-]{1,8}\s?(?:号|弄|巷|支弄|组|队|之\d+)(?:院|楼|大院)?)"
    rf"(?:\s?[{_HAN}A-Za-z0-9·]{{0,12}}?(?:大厦|大楼|广场|小区|花园|公寓|中心|家园|新村|苑|园|城|院|府))?"
    r"(?:\s?[0-9A-Za-z一二三四五六七八九十-]{1,6}\s?(?:栋|幢|座|号楼|楼|层|单元|室|号|户|门|房|铺)){0,5}"
)
# What a match may have swallowed before the address itself begins.
_BEFORE_ADDRESS = re.compile(
    rf"[{_HAN}]{{0,6}}?(?=(?:{_PROVINCE})(?:省|市|[{_HAN}]))|(?:[{_HAN}]{{0,4}}?(?:地址|住址|住在|"
    rf"位于|寄到|送到|住|在|到)(?:是|为)?)(?=[{_HAN}]{{3}})"
)
# Behind a colon any chain of places is an address; in a sentence it must have a number or a street.
_ADDRESS_CUE = re.compile(
    r"(?:地址|住址|住所地?|户籍地?|居住地|家住|现住|寄到|寄往|送到|收货地|籍贯|住在)\s*(?:为|是|在|于)?\s*(?:"
    rf"[:：]\s*(?P<listed>(?=[{_HAN}]{{0,20}}?(?:省|市|区|县|镇|乡|路|街|村|州|旗))"
    rf"[{_HAN}0-9A-Za-z（）()·#－-]{{4,60}})"
    rf"|(?P<said>(?=[{_HAN}]{{0,24}}?(?:路|街|村|巷|弄|小区|镇)"
    rf"[{_HAN}]{{0,6}}?[0-9一二三四五六七八九十])[^的并或者,，。;；、\s]{{5,50}}))"
)
_ADMIN = re.compile(rf"(?:{_PROVINCE})|[市区县州旗镇乡]")
_STREET_WORD = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|"
    r"Terrace|Ter|Way|Highway|Hwy|Parkway|Pkwy|Close|Crescent|"
    r"Circle|Cir|Trail|Alley|Row|Grove|Gardens|Mews|Quay|Wharf|Walk)"
)
_ADDRESS_EN = re.compile(
    r"(?<![0-9A-Za-z$€£.,])"
    rf"\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}})?,? (?:[NSEW]\.? )?(?:[A-Z0-9][A-Za-z0-9'.-]* "
    rf"){{1,4}}{_STREET_WORD}\b\.?(?: (?:[NSEW]|"
    r"[NS][EW])\b)?"
    r"(?:,? (?:(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Room|Rm|Flat|Building|Bldg)"
    r"\.? ?#?[0-9A-Za-z-]{1,6}|#\d{1,5}))?"
    r"(?:[,\n]? ?(?:[A-Z][A-Za-z'.-]+ ?){1,3})?(?:,? [A-Z]{2})?(?:,? (?:\d{5}(?:-\d{4})?|"
    r"[A-Z]{1,2}\d[0-9A-Z]? \d[A-Z]{2}))?"
)
_PO_BOX = re.compile(r"(?<![A-Za-z])P\.?\s?O\.? ?[Bb][Oo][Xx] \d{1,7}(?![0-9A-Za-z])")
_POSTCODE_UK = re.compile(r"(?<![0-9A-Za-z])(?:[A-Z]{1,2}\d[0-9A-Z]? \d[ABD-HJLNP-UW-Z]{2})(?![0-9A-Za-z])")
# Streets of other countries: the word for street before or at the end of its name, the house number behind it; and a house
# number with a flat, a room or a floor.
_WORD_EN = r"[A-Z0-9\u00c0-\u017f](?:[\w'.-]*\w)?"
_STREET_FIRST = re.compile(
    r"(?:(?<![\w,.])\d{1,5},? )?(?i:rue|via|viale|calle|avenida|avda|rua|plaza|piazza|piazzetta|paseo|praca|"
    r"largo|boulevard|chemin)\.?"
    rf" (?:(?:de|del|della|la|las|los|do|da|dos|du|des) )*{_WORD_EN}(?: (?:(?:de|del|la|do|da|du) "
    rf")?{_WORD_EN}){{0,4}}(?:,? \d{{1,5}}[A-Za-z]?)?"
)
_STREET_LAST = re.compile(
    r"(?<![\w])(?:\d{1,6} )?[A-Z\u00c0-\u017f][\w'.-]*?(?: [A-Z\u00c0-\u017f][\w'.-]*){0,3}? ?"
    r"(?i:strasse|straße|gasse|allee|platz|vagen|veien|katu|(?<=\w{5})tie|gatan|gata|laan|straat|vej|gade|"
    r"(?<= )(?:veg|utca|ulica|ut|ter|ulice))\.? \d{1,5}[A-Za-z]?(?![\w.])"
)
_FLAT = re.compile(
    rf"(?<![\w$€£.,])\d{{1,6}}[A-Za-z]?,?(?: {_WORD_EN}){{1,6}}(?: \d{{1,5}})?,?\s+"
    r"(?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Floor)\.? ?#?\d{1,5}[A-Za-z]?"
    rf"(?:,?\s{{1,3}}{_WORD_EN}(?: "
    rf"{_WORD_EN}){{0,3}}){{0,1}}(?:\s?,?\s{{1,2}}[A-Z]{{2,3}})?(?:,?\s{{1,2}}[A-Z][\w]+(?: "
    rf"[A-Z][\w]+)?)?(?:,?\s{{1,2}}\d{{4,6}})?"
)
_ADDRESS_EN_CUE = re.compile(
    r"(?i:(?:address|addr)(?: is| to)?|lives? (?:at|on)|located at|office is at|offices are (?:located )?at|"
    r"moved to|resid(?:e|es|ing) at|"
    r"ship(?:ped)? to|deliver(?:ed)? to|living at|live in)\s{0,2}:?\s{1,5}"
    rf"(?P<value>\d{{1,6}}[A-Za-z]?(?:,?\s{{1,3}}(?:{_WORD_EN}|de|del|la|do|da|du|des|van|der)){{1,10}})"
)


def _name_zh(text: str, at: int, low: int, high: int) -> Found:  # noqa: ARG001
    for match in (_NAME_ZH.match(text, at, high), _STRONG_OPEN.match(text, at, high)):
        if match and _may_be_name(match["name"], text[match.start() : match.start("name")]):
            strong = 0.9 if match.groupdict().get("strong") else 0.8
            score = strong if match.re is _NAME_ZH else 0.75
            yield match.start("name"), match.end("name"), "person", score, "cue_zh"
            return


def _titled_zh(text: str, at: int, low: int, high: int) -> Found:
    for match in _TITLED_ZH.finditer(text, max(low, at - 4), min(high, at + 2)):
        if _may_be_name(match["name"], ":"):
            yield match.start("name"), match.end("name"), "person", 0.8, "title_zh"


def _name_en(text: str, at: int, low: int, high: int) -> Found:  # noqa: ARG001
    keyed = _KEYED_ZH.match(text, at, high)
    if keyed and _may_be_name(keyed["name"], ":"):
        yield keyed.start("name"), keyed.end("name"), "person", 0.85, "cue_zh"
    match = _NAME_EN.match(text, at, high)
    words = match["name"].split() if match else []
    while words and words[-1] in NOT_ENGLISH_NAMES:
        words.pop()
    if match and words and not NOT_ENGLISH_NAMES.intersection(words):
        titled = match[0].split()[0].rstrip(".") in ("Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Sir")
        vague = match[0].lower().startswith(("called", "this is", "contact"))
        score = 0.85 if titled or (len(words) > 1 and not vague) else 0.6
        start = match.start("name")
        cut = len(words) < len(match["name"].split())
        end = start + match["name"].find(words[-1]) + len(words[-1]) if cut else match.end("name")
        yield start, end, "person", score, "title_en" if titled else "cue_en"


def _may_be_name(name: str, before: str) -> bool:
    if name[0] in AMBIGUOUS and not before.rstrip().endswith((":", "：", "叫", "是", "为")):
        return False
    if name[:2] in ("章程", "查明"):  # the charter of a legal person is no name, whatever stands before it
        return False
    # Without a colon or a verb of naming, a particle at the end or an everyday word is what it looks like.
    named = before.rstrip().endswith((":", "：", "叫"))
    if not named and (name[:2] in _WORDS or name[-1] in "的了着是为在和与或及等"):
        return False
    given = name[2:] if name[:2] in DOUBLE.split("|") and len(name) > 2 else name[1:]
    return given not in _NOT_NAMES and name not in _NOT_NAMES


def _address_zh(text: str, at: int, low: int, high: int) -> Found:
    for match in _ADDRESS_ZH.finditer(text, max(low, at - 48), min(high, at + 64)):
        start = match.start() + len(lead[0]) if (lead := _BEFORE_ADDRESS.match(match[0])) else match.start()
        if _ADMIN.search(match[0]):
            yield start, match.end(), "address", 0.9, "shape_zh"
        elif re.search(r"[室栋幢单元]", match[0]):
            yield start, match.end(), "address", 0.75, "shape_zh"


def _address_cued(text: str, at: int, low: int, high: int) -> Found:  # noqa: ARG001
    if cued := _ADDRESS_CUE.match(text, at, high):
        group = "listed" if cued["listed"] else "said"
        yield cued.start(group), cued.end(group), "address", 0.85, "cue_zh"


def _has_number(match: re.Match[str]) -> bool:
    return any(char.isdigit() for char in match[0])


POSTCODE = rule_of(Form("address", "postcode_uk", 0.7, _POSTCODE_UK))
SHAPES = {shapes.POSTCODE_UK: POSTCODE}
CUES = (
    Cue(f"{_STRONG}|{_WEAK}", (_name_zh,), follow=scan.NAME_ZH, edges=0),
    Cue("先生|女士|小姐|同志", (_titled_zh,), follow=scan.BEFORE_NAME, edges=0),
    Cue(
        "name|called|this is|cardholder|account holder|beneficiary|payee|recipient|contact|patient|"
        "applicant|borrower|customer|client|owner|employee|sender|receiver|buyer|seller|user|attn|"
        "dear|regards,|sincerely,|signed by|mr|mrs|ms|miss|dr|prof|sir|madam|surname",
        (_name_en,),
        follow=scan.NAME_EN,
        edges=3,
    ),
    Cue(
        "地址|住址|住所|户籍|居住地|家住|现住|寄到|寄往|送到|收货地|籍贯|住在",
        (_address_cued,),
        follow=scan.ALWAYS,
        edges=0,
    ),
    Cue("号|弄|巷|组|队|之", (_address_zh,), follow=scan.HOUSE, edges=0, back=52),
    Cue(
        "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|ter|way|highway|hwy|"
        "parkway|pkwy|close|crescent|circle|cir|trail|alley|row|grove|gardens|mews|quay|wharf|walk",
        (rule_of(Form("address", "shape_en", 0.85, _ADDRESS_EN)),),
        follow=scan.STREET_EN,
        edges=3,
    ),
    Cue(
        "apt|apartment|suite|ste|unit|flat|room|floor",
        (rule_of(Form("address", "flat", 0.85, _FLAT)),),
        follow=scan.STREET_EN,
        edges=3,
    ),
    Cue(
        "rue|via|viale|calle|avenida|avda|rua|plaza|piazza|piazzetta|paseo|praca|largo|boulevard|chemin",
        (rule_of(Form("address", "shape_eu", 0.8, _STREET_FIRST, _has_number, back=8)),),
        edges=3,
    ),
    Cue(
        "strasse|straße|gasse|allee|platz|vagen|veien|veg|katu|tie|gatan|gata|laan|straat|vej|gade|utca|ulica|ut|ter|ulice",
        (rule_of(Form("address", "shape_eu", 0.8, _STREET_LAST, back=28)),),
        follow=scan.NUMBER_NEXT,
        edges=2,
        reach=10,
    ),
    Cue(
        "address|addr|lives at|live at|lives on|live on|located at|office is at|offices are at|moved to|reside at|resides at|"
        "residing at|ship to|shipped to|deliver to|delivered to|living at|live in",
        (rule_of(Form("address", "cue_en", 0.85, _ADDRESS_EN_CUE)),),
        edges=3,
        reach=120,
    ),
    Cue("p.o. box|po box|p.o box|p. o. box|p o box", (rule_of(Form("address", "po_box", 0.85, _PO_BOX)),), edges=1),
)
