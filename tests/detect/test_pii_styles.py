"""Every written style of a number beside Chinese text without blanks: plain, full-width, and with invisible characters in it."""

import random

import pytest

from septet.detect import checksums, pii

FULL = str.maketrans(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz@.-:+()",
    "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ＠．－：＋（）",
)
FRAMES = ("请核对{}谢谢", "号是{}，对吗", "（{}）", "客户{}已到", "：{}。")
DRESS = {"plain": lambda v: v, "wide": lambda v: v.translate(FULL), "invisible": "\u200b".join}


def digits(draw, count):
    return "".join(draw.choices("0123456789", k=count))


def cut(value, sizes, joint):
    out, at = [], 0
    for size in sizes:
        out.append(value[at : at + size])
        at += size
    return joint.join(filter(None, out))


def styles(draw):
    body = f"110105{draw.randint(1950, 2005)}0{draw.randint(1, 9)}1{draw.randint(0, 9)}{digits(draw, 3)}"
    resident = body + checksums.resident_digit(body)
    body = "62" + digits(draw, 16)
    card = body + checksums.luhn_digit(body)
    mobile = draw.choice(("138", "159", "177", "199")) + digits(draw, 8)
    account = digits(draw, 18)
    iban = f"DE{checksums.iban_digits('DE', account)}{account}"
    return {
        "resident_id": [resident, *(cut(resident, (6, 8, 4), joint) for joint in " -")],
        "bank_card": [card, *(cut(card, (4, 4, 4, 4, 4), joint) for joint in " -")],
        "mobile": [mobile, cut(mobile, (3, 4, 4), " "), cut(mobile, (3, 4, 4), "-"), f"+86{mobile}", f"0086 {mobile}"],
        "phone": [
            f"021-6{digits(draw, 7)}",
            f"(0755)8{digits(draw, 7)}",
            f"+44 20 7{digits(draw, 3)} {digits(draw, 4)}",
        ],
        "email": [f"a{digits(draw, 3)}@corp.com.cn", "zhang.san+x@mail.example.net"],
        "ip": [f"{draw.randint(1, 99)}.20.30.{draw.randint(1, 254)}", f"2001:db8:{digits(draw, 3)}::{digits(draw, 2)}"],
        "mac": [f"00:1A:2B:{digits(draw, 2)}:3C:4D", f"00-1A-2B-{digits(draw, 2)}-3C-4D"],
        "iban": [iban, cut(iban, (4,) * 6, " ")],
        "plate": [f"京A{digits(draw, 5)}", f"粤BD{digits(draw, 5)}"],
        "ssn": [f"{draw.randint(100, 600)}-12-{draw.randint(1000, 9999)}"],
        "nino": [f"AB{digits(draw, 6)}C", f"AB {digits(draw, 2)} {digits(draw, 2)} {digits(draw, 2)} C"],
    }


@pytest.mark.parametrize("dress", DRESS)
@pytest.mark.parametrize("kind", styles(random.Random(0)))
def test_every_style_is_found_whole(kind, dress):
    draw = random.Random(17)
    texts, values = [], []
    for _ in range(12):
        for value in styles(draw)[kind]:
            for frame in FRAMES:
                values.append(DRESS[dress](value))
                texts.append(frame.format(values[-1]))
    whole = {
        (row, kind)
        for row, span in pii.detect_all(texts, threshold=0.7).spans()
        if values[row] in span.of(texts[row]) and span.kind == kind
    }
    missed = [texts[row] for row in range(len(texts)) if (row, kind) not in whole]
    assert missed == []


@pytest.mark.parametrize(
    "text",
    [
        "Chapter 5. Network setup",
        "see Chapter 12 and Parameter 3 of the Newsletter 7",
        "supported by the NSS (Name Service Switch) mechanism",
        "FROM A NAME YOU KNOW AND TRUST",
        "它允许用户查看软件包的状态，负责人安排会议，客户方便时再来。",
        "8.1.6.1. dpkg-deb 的使用\n12.2.1.1 邮件列表",
        "ff02::1 ip6-allnodes",
        "法人：章程、经营期限；违反法人章程的规定，当事人为查明事故而支付的费用",
        "This is why a password is requested. The installer asks twice.",
    ],
)
def test_prose_of_manuals_holds_no_personal_data(text):
    assert pii.detect(text, threshold=0.7) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("联系人：查小梅，明天到", "person"),
        ("客户赵敏说已经还清", "person"),
        ("wohnt Hauptstrasse 12 in Bonn", "address"),
        ("Mannerheimintie 5", "address"),
        ("the name Anna Berg is on it", "person"),
        ("login from 10.1.2.3 at night", "ip"),
        ("password is S3cret!pass.", "secret"),
    ],
)
def test_what_looks_like_such_prose_is_found_still(text, kind):
    assert kind in [span.kind for span in pii.detect(text, threshold=0.5)]
