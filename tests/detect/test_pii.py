"""Personal data: found in any clothing, look-alikes left alone, nothing of it left once it is masked."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from septet.core.errors import ConfigError
from septet.detect import actions, checksums, pii


def resident(draw):
    area = draw.choice(sorted(checksums.PROVINCES - {"81", "82", "83"})) + f"{draw.randrange(10000):04d}"
    born = f"{draw.randint(1940, 2015)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    body = f"{area}{born}{draw.randrange(1000):03d}"
    return body + checksums.resident_digit(body)


def card(draw):
    prefix, size = draw.choice([("62", 16), ("62", 19), ("4", 16), ("53", 16), ("34", 15), ("6011", 16)])
    body = prefix + "".join(draw.choices("0123456789", k=size - 1 - len(prefix)))
    return body + checksums.luhn_digit(body)


def mobile(draw):
    return draw.choice(["138", "139", "150", "186", "199", "177"]) + "".join(draw.choices("0123456789", k=8))


def company(draw):
    body = (
        f"91{draw.choice(['11', '31', '44'])}{draw.randrange(10000):04d}"
        + "".join(draw.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=8))
        + "A"
    )
    return body + checksums.uscc_character(body)


def iban(draw):
    account = "".join(draw.choices("0123456789", k=18))
    return f"DE{checksums.iban_digits('DE', account)}{account}"


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    """The scanner compiles when it is first used on a machine; the clocks of the tests begin after that."""
    pii.detect("138 0013 8000")


MAKERS = {"resident_id": resident, "bank_card": card, "mobile": mobile, "uscc": company, "iban": iban}
FRAMES = ("请核对{}谢谢", "The value is {}.", "（{}）", "a:{},b", "尾号不对，应为{}！", "{}")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def four(value):
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


@pytest.mark.parametrize("kind", MAKERS)
@given(seed=st.integers(0, 10**9), frame=st.sampled_from(FRAMES), dress=st.sampled_from(["plain", "wide", "zero"]))
@settings(max_examples=60)
def test_valid_numbers_are_found_beside_any_character(kind, seed, frame, dress):
    value = MAKERS[kind](random.Random(seed))
    worn = {"plain": value, "wide": value.translate(FULL_WIDTH), "zero": "\u200b".join(value)}[dress]
    text = frame.format(worn)
    found = pii.detect(text, threshold=0.7)
    assert [(span.kind, span.of(text)) for span in found] == [(kind, worn)]


@given(seed=st.integers(0, 10**9), frame=st.sampled_from(FRAMES))
@settings(max_examples=100)
def test_a_wrong_check_digit_is_no_finding(seed, frame):
    draw = random.Random(seed)
    good = resident(draw)
    bad = good[:17] + draw.choice([c for c in "0123456789X" if c != good[17]])
    assert not [s for s in pii.detect(frame.format(bad)) if s.kind == "resident_id"]
    good = card(draw)
    bad = good[:-1] + draw.choice([c for c in "0123456789" if c != good[-1]])
    assert not [s for s in pii.detect(frame.format(bad)) if s.kind == "bank_card"]
    good = company(draw)
    bad = good[:-1] + draw.choice([c for c in "0123456789ABCDEFGH" if c != good[-1]])
    assert not [s for s in pii.detect(frame.format(bad)) if s.kind == "uscc"]


@given(
    seed=st.integers(0, 10**9),
    kind=st.sampled_from(["bank_card", "mobile", "resident_id"]),
    joint=st.sampled_from([" ", "-", "  ", "."]),
)
def test_numbers_written_in_groups_are_found(seed, kind, joint):
    value = MAKERS[kind](random.Random(seed))
    cuts = {"bank_card": [4] * 5, "mobile": [3, 4, 4], "resident_id": [6, 8, 4]}[kind]
    groups, at = [], 0
    for size in cuts:
        groups.append(value[at : at + size])
        at += size
    written = joint.join(group for group in groups if group)
    assert kind in {span.kind for span in pii.detect(f"是{written}吗")}


CASES = [
    ("邮箱zhang.san@mail.example.cn。", "email", "zhang.san@mail.example.cn"),
    ("write to jo [at] corp [dot] org please", "email", "jo [at] corp [dot] org"),
    ("电话：010-62345678转12", "phone", "010-62345678转12"),
    ("办公室(0755)8654 3210", "phone", "(0755)8654 3210"),
    ("call (415) 555-2671 now", "phone", "(415) 555-2671"),
    ("or +44 20 7946 0958", "phone", "+44 20 7946 0958"),
    ("手机+86 138-0013-8000", "mobile", "+86 138-0013-8000"),
    ("手机008613800138000", "mobile", "008613800138000"),
    ("拨打幺三八零零幺三八零零零", "mobile", "幺三八零零幺三八零零零"),
    ("服务器10.20.30.40宕机", "ip", "10.20.30.40"),
    ("host 2001:db8::ff00:42:8329 up", "ip", "2001:db8::ff00:42:8329"),
    ("网卡00:1A:2b:3C:4D:5E。", "mac", "00:1A:2b:3C:4D:5E"),
    ("车牌京A·12345", "plate", "京A·12345"),
    ("新能源粤BD12345停放", "plate", "粤BD12345"),
    ("护照号码：E12345678", "passport", "E12345678"),
    ("港澳通行证C12345678", "travel_permit", "C12345678"),
    ("SSN 123-45-6789", "ssn", "123-45-6789"),
    ("NI number AB 12 34 56 C", "nino", "AB 12 34 56 C"),
    ("IBAN DE89 3704 0044 0532 0130 00 and", "iban", "DE89 3704 0044 0532 0130 00"),
    ("SWIFT code: DEUTDEFF500", "swift", "DEUTDEFF500"),
    ("出生日期：1990年3月7日", "birth_date", "1990年3月7日"),
    ("born on 7 March 1990 in", "birth_date", "7 March 1990"),
    ("微信号：abc_12345", "account", "abc_12345"),
    ("加我QQ 123456789", "account", "123456789"),
    ("客户姓名：欧阳文山，男", "person", "欧阳文山"),
    ("我叫王小明，想开户", "person", "王小明"),
    ("李建国先生您好", "person", "李建国"),
    ("Dear Mary O'Neil, thanks", "person", "Mary O'Neil"),
    ("My name is John van Dyke.", "person", "John van Dyke"),
    ("住在北京市海淀区中关村大街27号院3号楼502室。", "address", "北京市海淀区中关村大街27号院3号楼502室"),
    ("I live at 221 Baker Street, London NW1 6XE.", "address", "221 Baker Street, London NW1 6XE"),
    ("api_key = 'a8f5f167f44f4964e6c998dee827110c'", "secret", "a8f5f167f44f4964e6c998dee827110c"),
    ("密码是：Hunter2!x", "secret", "Hunter2!x"),
    ("postgres://app:s3cr3tpw@db/main", "secret", "s3cr3tpw"),
]


@pytest.mark.parametrize(("text", "kind", "value"), CASES)
def test_forms_and_cues(text, kind, value):
    assert (kind, value) in {(span.kind, span.of(text)) for span in pii.detect(text, threshold=0.7)}


HONEST = [
    "订单号 20241124123456789，金额 1,234,567.89 元",
    "version 1.2.3.4 of the software, released 2026-11-24 10:20:30",
    "打开 http://127.0.0.1:8600 查看",
    "圆周率 3.14159265358979323846",
    "请联系客户经理或拨打热线。应付账款和应收账款如下。",
    "The token: a word of the sentence. My password is not working.",
    "fingerprint sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "第十二条 当事人应当提供住所地证明，被告和被申请人另行规定。",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
    "The transfer via SWIFT takes 3 days. Section 12.3.4 applies.",
    "time 12:34:56, ratio 16:9, range 100-200, page 3-4",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_is_left_alone(text):
    assert pii.detect(text, threshold=0.7) == []


def test_a_name_shown_once_is_known_from_there_on():
    text = "联系人：张三丰。后来张三丰又来电，张三丰说已办妥。"
    assert [span.of(text) for span in pii.detect(text)] == ["张三丰"] * 3


def test_allowed_values_are_left():
    text = "Mail help@example.org or bob@corp.org, ring 010-6234 5678"
    found = pii.detect(text, allow=("*@example.org", "01062345678"))
    assert [span.of(text) for span in found] == ["bob@corp.org"]


@given(seed=st.integers(0, 10**9), action=st.sampled_from([a for a in actions.ACTIONS if a != "keep"]))
def test_no_seeded_value_survives_any_action(seed, action):
    draw = random.Random(seed)
    values = {kind: maker(draw) for kind, maker in MAKERS.items()}
    values["email"] = f"user{draw.randrange(10**6)}@corp{draw.randrange(100)}.cn"
    text = "；".join(f"第{i}项{value}" for i, value in enumerate(values.values()))
    treated = actions.apply(text, pii.detect(text), {}, default=action, key=b"k" * 16)
    assert not [value for value in values.values() if value in treated]


@given(seed=st.integers(0, 10**9), kind=st.sampled_from(sorted(MAKERS)))
def test_surrogates_are_consistent_keyed_and_of_the_same_form(seed, kind):
    value = MAKERS[kind](random.Random(seed))

    def surrogate(text, key):
        return actions.apply(text, pii.detect(text), {}, default="pseudonymise", key=key)

    first = surrogate(value, b"a" * 16)
    assert first == surrogate(value.translate(FULL_WIDTH), b"a" * 16)
    assert first != value
    assert first != surrogate(value, b"b" * 16)
    assert [span.kind for span in pii.detect(first)] == [kind]


def test_tags_follow_the_language_and_keyed_actions_need_a_key():
    text = "mail me at bob@corp.org"
    spans = pii.detect(text)
    assert actions.apply(text, spans, {}) == "mail me at [EMAIL]"
    assert actions.apply(text, spans, {}, language="zh") == "mail me at [邮箱]"
    assert actions.apply(text, spans, {"email": "keep"}) == text
    with pytest.raises(ConfigError, match="needs a key"):
        actions.apply(text, spans, {"email": "hash"})
    with pytest.raises(ConfigError, match="no action 'blur'"):
        actions.apply(text, spans, {"email": "blur"})


def test_generalised_values_keep_what_statistics_need():
    text = "身份证110101199003077715，生日：1990年3月7日，住江苏省苏州市人民路100号"
    treated = actions.apply(text, pii.detect(text), {}, default="generalise")
    assert "1990年生" in treated
    assert "生日：1990年" in treated
    assert "江苏省苏州市" in treated
    assert "人民路" not in treated


@given(st.text(max_size=200))
def test_no_text_breaks_the_detector(text):
    assert all(0 <= span.start < span.end <= len(text) for span in pii.detect(text))
