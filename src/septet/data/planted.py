"""Personal data to plant: made-up values with check digits that hold, look-alikes whose do not, and the sentences they stand in.

Nobody's data: each value is drawn at random. A look-alike has the shape of its kind and is none, so a finding of it is a false
alarm. Kinds that need a model to be found (organisations, places) are not planted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from septet.detect import checksums, national

Draw = random.Random
_DIGITS, _HEX = "0123456789", "0123456789abcdef"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ALNUM = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


class Kind(NamedTuple):
    """How values of a kind are made, how its look-alikes are, and sentences for both, by language; {} is the value."""

    value: Callable[[Draw], str]
    sentences: Mapping[str, tuple[str, ...]]
    like: Callable[[Draw], str] | None = None
    like_sentences: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def _run(draw: Draw, size: int, letters: str = _DIGITS) -> str:
    return "".join(draw.choices(letters, k=size))


def _wrong(draw: Draw, value: str, letters: str, holds: Callable[[str], bool]) -> str:
    """The value with another last character, so that its check fails."""
    return next(
        made
        for made in (value[:-1] + one for one in draw.sample(letters, len(letters)))
        if made != value and not holds(made)
    )


def _resident(draw: Draw) -> str:
    area = draw.choice(("11", "31", "33", "44", "51")) + _run(draw, 4)
    born = f"{draw.randint(1950, 2009)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    body = area + born + _run(draw, 3)
    return body + checksums.resident_digit(body)


def _resident_like(draw: Draw) -> str:
    return _wrong(draw, _resident(draw), _DIGITS, lambda code: checksums.resident_id(code) or checksums.luhn(code))


def _mobile(draw: Draw) -> str:
    value = draw.choice(("138", "139", "150", "186", "199")) + _run(draw, 8)
    return draw.choice(
        (value, f"{value[:3]} {value[3:7]} {value[7:]}", f"+86 {value}", f"{value[:3]}-{value[3:7]}-{value[7:]}")
    )


def _card(draw: Draw) -> str:
    prefix, size = draw.choice((("62", 16), ("62", 19), ("4", 16), ("53", 16)))
    body = prefix + _run(draw, size - 1 - len(prefix))
    value = body + checksums.luhn_digit(body)
    return draw.choice((value, " ".join(value[i : i + 4] for i in range(0, size, 4))))


def _card_like(draw: Draw) -> str:
    return _wrong(draw, "62" + _run(draw, 14), _DIGITS, checksums.luhn)


def _uscc(draw: Draw) -> str:
    body = "91" + draw.choice(("11", "31", "44")) + _run(draw, 4) + _run(draw, 8, "0123456789ABCDEFGH") + "A"
    return body + checksums.uscc_character(body)


def _email(draw: Draw) -> str:
    names = ("lin.wei", "j_smith", "zhangsan", "m.garcia", "support")
    host = f"{draw.choice(('mail', 'corp', 'post'))}.{draw.choice(('com.cn', 'net', 'io'))}"
    return f"{draw.choice(names)}{draw.randint(1, 99)}@{host}"


def _iban(draw: Draw) -> str:
    country, account = draw.choice(
        (("DE", _run(draw, 18)), ("GB", "NWBK" + _run(draw, 14)), ("NL", "INGB" + _run(draw, 10)))
    )
    value = f"{country}{checksums.iban_digits(country, account)}{account}"
    return draw.choice((value, " ".join(value[i : i + 4] for i in range(0, len(value), 4))))


def _iban_like(draw: Draw) -> str:
    return _wrong(draw, f"DE{checksums.iban_digits('DE', '1' * 18)}" + _run(draw, 18), _DIGITS, checksums.iban)


def _ssn(draw: Draw) -> str:
    return f"{draw.randint(100, 665)}-{draw.randint(1, 99):02d}-{draw.randint(1, 9999):04d}"


def _nric(draw: Draw) -> str:
    body = "S" + _run(draw, 7)
    return next(body + letter for letter in "ABCDEFGHIJZ" if national.nric(body + letter))


def _dni(draw: Draw) -> str:
    body = _run(draw, 8)
    return next(body + letter for letter in "TRWAGMYFPDXBNJZSQVHLCKE" if national.dni(body + letter))


def _national(draw: Draw) -> str:
    return draw.choice((_nric, _dni))(draw)


def _national_like(draw: Draw) -> str:
    return _wrong(draw, _nric(draw), "ABCDEFGHIJZ", national.nric)


def _nhs(draw: Draw) -> str:
    while True:
        body = _run(draw, 9)
        for last in _DIGITS:
            if national.nhs(body + last):
                return f"{body[:3]} {body[3:6]} {body[6:]}{last}"


def _wallet(draw: Draw) -> str:
    return "0x" + _run(draw, 40, _HEX)


def _wallet_like(draw: Draw) -> str:
    return _wrong(draw, "1" + _run(draw, 33, _BASE58), _BASE58, national.base58check)


def _key(draw: Draw) -> str:
    return draw.choice((f"AKIA{_run(draw, 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}", f"ghp_{_run(draw, 36, _ALNUM)}"))


def _person(draw: Draw) -> str:
    return draw.choice("王李张刘陈杨黄赵周吴") + "".join(draw.sample("建国文山晓丽志强雅婷俊杰", draw.choice((1, 2))))


def _person_en(draw: Draw) -> str:
    return f"{draw.choice(('Mary', 'John', 'Alice', 'Robert'))} {draw.choice(('Harrison', 'Lindgren', 'Okafor', 'Peters'))}"


def _address(draw: Draw) -> str:
    street = draw.choice(("北京市海淀区中关村大街", "上海市浦东新区世纪大道", "广州市天河区体育东路"))
    return f"{street}{draw.randint(1, 300)}号{draw.randint(1, 20)}号楼{draw.randint(101, 2802)}室"


def _address_en(draw: Draw) -> str:
    return (
        f"{draw.randint(1, 999)} {draw.choice(('Baker', 'Maple', 'Elm'))} {draw.choice(('Street', 'Avenue', 'Road'))}"
    )


def _day(draw: Draw) -> str:
    return f"{draw.randint(1950, 2009)}年{draw.randint(1, 12)}月{draw.randint(1, 28)}日"


def _day_en(draw: Draw) -> str:
    return f"{draw.randint(1, 28)} {draw.choice(('March', 'June', 'October'))} {draw.randint(1950, 2009)}"


def _both(chinese: str, english: str) -> dict[str, tuple[str, ...]]:
    return {"zh": tuple(chinese.split("|")), "en": tuple(english.split("|"))}


_NUMBERED = _both(
    "订单编号{}已经发出。|流水号为{}，请保存。", "Order number {} was sent.|The serial number is {} on the label."
)
KINDS: dict[str, tuple[Kind, ...]] = {
    "resident_id": (
        Kind(
            _resident,
            _both(
                "身份证号{}已登记。|请核对{}是否正确。", "The identity number {} was recorded.|Please check {} again."
            ),
            _resident_like,
            _NUMBERED,
        ),
    ),
    "mobile": (
        Kind(
            _mobile,
            _both("请拨打{}联系我们。|他的手机是{}，随时可以找他", "Call {} for help.|His mobile is {}, at any time."),
            lambda draw: "12" + _run(draw, 9),
            _NUMBERED,
        ),
    ),
    "phone": (
        Kind(
            lambda draw: f"0{draw.choice(('10', '21', '755'))}-{draw.randint(2, 8)}{_run(draw, 7)}",
            _both("座机{}，工作日接听。|联系电话：{}。", "The office phone is {} on weekdays.|Phone: {}."),
            lambda draw: f"{draw.randint(2001, 2024)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            _both("本办法自{}起施行。", "The rules apply from {} on."),
        ),
    ),
    "bank_card": (
        Kind(_card, _both("银行卡号{}。|款项转入{}即可。", "Card number {}.|Pay to {} please."), _card_like, _NUMBERED),
    ),
    "uscc": (
        Kind(
            _uscc,
            _both("统一社会信用代码：{}。", "The credit code of the company is {}."),
            lambda draw: _wrong(draw, _uscc(draw), "0123456789ABCDEFGH", checksums.uscc),
            _NUMBERED,
        ),
    ),
    "email": (
        Kind(
            _email,
            _both("请发送到{}，谢谢。|邮箱{}", "Write to {} please.|Mail {}, thanks."),
            lambda draw: f"icon@{draw.randint(2, 3)}x",
            _both("图标文件叫做{}，放在目录里。", "The file {} holds the icon."),
        ),
    ),
    "ip": (
        Kind(
            lambda draw: (
                f"{draw.choice((10, 172, 192, 61, 114))}.{draw.randint(41, 254)}.{draw.randint(1, 254)}.{draw.randint(2, 254)}"
            ),
            _both("服务器{}宕机了。", "The host {} is down."),
            lambda draw: f"{draw.randint(1, 9)}.{draw.randint(0, 20)}.{draw.randint(0, 20)}.{draw.randint(0, 20)}",
            _both("请升级到版本{}再试。", "Upgrade to version {} first."),
        ),
    ),
    "mac": (
        Kind(
            lambda draw: ":".join(_run(draw, 2, "0123456789ABCDEF") for _ in range(6)),
            _both("网卡地址是{}。", "The adapter has {} as its address."),
            lambda draw: f"{draw.randint(10, 23)}:{draw.randint(10, 59)}:{draw.randint(10, 59)}",
            _both("列车{}到站。", "The train leaves at {} today."),
        ),
    ),
    "iban": (Kind(_iban, _both("收款账户{}。", "The IBAN is {}."), _iban_like, _NUMBERED),),
    "swift": (
        Kind(
            lambda draw: draw.choice(("DEUTDEFF", "BKCHCNBJ", "CHASUS33", "HSBCHKHH")),
            _both("SWIFT代码：{}。", "The SWIFT code: {}."),
        ),
    ),
    "ssn": (
        Kind(
            _ssn,
            _both("他的SSN是{}。", "His SSN is {}."),
            lambda draw: f"000-{draw.randint(1, 99):02d}-{draw.randint(1, 9999):04d}",
            _both("零件号{}缺货。", "Part {} is out of stock."),
        ),
    ),
    "nino": (
        Kind(
            lambda draw: f"AB {_run(draw, 2)} {_run(draw, 2)} {_run(draw, 2)} C",
            _both("英国国民保险号{}。", "National insurance number {}."),
        ),
    ),
    "national_id": (
        Kind(
            _national,
            _both("证件号{}已核验。", "The identity card {} was checked."),
            _national_like,
            _both("货架编号{}在二楼。", "Shelf {} is on the second floor."),
        ),
    ),
    "health_id": (
        Kind(
            _nhs,
            _both("NHS号码：{}。", "The NHS number is {}."),
        ),
    ),
    "tax_id": (
        Kind(
            lambda draw: f"{draw.randint(10, 99)}-{_run(draw, 7)}",
            _both("该公司的EIN是{}。", "The EIN is {} for the company."),
        ),
    ),
    "wallet": (
        Kind(
            _wallet,
            _both("钱包地址{}。", "Send it to {} now."),
            _wallet_like,
            _both("校验串{}。", "The hash was {} then."),
        ),
    ),
    "secret": (
        Kind(
            _key,
            _both("密钥{}不要外传。", "The key {} must stay hidden."),
            lambda draw: "*" * draw.randint(6, 9),
            _both("密码：{}", "Password: {}"),
        ),
    ),
    "passport": (
        Kind(
            lambda draw: f"E{_run(draw, 8)}",
            _both("护照号码：{}。", "Passport number: {}."),
            lambda draw: f"E{_run(draw, 8)}",
            _both("设备型号{}。", "The model {} is sold out."),
        ),
    ),
    "travel_permit": (Kind(lambda draw: f"C{_run(draw, 8)}", _both("港澳通行证{}。", "港澳通行证 {}.")),),
    "plate": (
        Kind(
            lambda draw: f"{draw.choice('京沪粤苏浙')}{draw.choice('ABC')}·{_run(draw, 5)}",
            _both("车牌{}停在门口。", "The car {} stood outside."),
        ),
    ),
    "account": (
        Kind(
            lambda draw: f"{_run(draw, 1, 'abcdef')}{_run(draw, 3, 'abcdef_')}{_run(draw, 5)}",
            _both("微信号：{}。", "WeChat ID: {}."),
            lambda draw: f"{draw.randint(10, 900)}元",
            _both("微信支付{}。", "微信支付 {}."),
        ),
    ),
    "birth_date": (
        Kind(_day, {"zh": ("出生日期：{}。",)}, _day, {"zh": ("本办法于{}发布。",)}),
        Kind(
            _day_en, {"en": ("She was born on {} in Leeds.",)}, _day_en, {"en": ("It was published on {} in Leeds.",)}
        ),
    ),
    "person": (
        Kind(
            _person,
            {"zh": ("客户姓名：{}。", "联系人：{}，负责接待。")},
            lambda draw: draw.choice(("应用程序", "高级设置", "安全模式")),
            {"zh": ("请打开{}窗口。",)},
        ),
        Kind(
            _person_en,
            {"en": ("My name is {}.", "Account holder: {}.")},
            lambda draw: draw.choice(("Customer Support", "Account Number", "The Bank")),
            {"en": ("Dear {}, thank you.",)},
        ),
    ),
    "address": (
        Kind(_address, {"zh": ("住在{}。", "收货地址：{}。")}),
        Kind(_address_en, {"en": ("I live at {}.", "The parcel went to {} yesterday.")}),
    ),
}
