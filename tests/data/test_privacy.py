"""Steps of privacy: masking in bulk, the vault, anonymity of tables. No value of the corpus may show anywhere but in its text."""

import csv
import json
import random

import pytest

from septet.core import ConfigError, Run
from septet.data import vault
from septet.data.steps import Anonymity, KeepVault, Mask, Pseudonymise, anonymity, mask, pseudonymise
from septet.data.steps import vault as keep_vault
from septet.detect import checksums, edits, pii
from septet.detect import policy as policies
from septet.kinds import Corpus, Policy


def corpus_of(path, texts, **columns):
    rows = [
        {
            "id": f"d{i}",
            "text": text,
            "source": f"s{i}.txt",
            "source_digest": "",
            "start": 0,
            "end": len(text),
            "language": "zh",
            "licence": "",
            "origin": "private",
            "access": "",
            "transforms": [],
            **{name: values[i] for name, values in columns.items()},
        }
        for i, text in enumerate(texts)
    ]
    return Corpus.write(path, rows)


def policy_of(path, **pii_rules):
    path.mkdir()
    (path / "policy.json").write_bytes(policies.encode(policies.decode({"pii": pii_rules}, "test")))
    return Policy(path)


def card(draw):
    body = "62" + "".join(draw.choices("0123456789", k=16))
    return body + checksums.luhn_digit(body)


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_text("0123456789abcdef-secret")
    return path


def test_masking_changes_only_what_holds_personal_data_and_leaves_no_value_elsewhere(tmp_path):
    draw = random.Random(4)
    values = [f"139{draw.randrange(10**8):08d}" for _ in range(5)] + [card(draw) for _ in range(5)]
    texts = [f"第{i}份：请拨打{value}联系我们。" for i, value in enumerate(values)] + ["没有什么可藏的一段话。"] * 20
    corpus = corpus_of(tmp_path / "in", texts)
    made = mask(Mask(), corpus, policy_of(tmp_path / "p", default="tag"), Run(tmp_path / "out"))
    rows = list(made.rows())
    assert [row["id"] for row in rows] == [f"d{i}" for i in range(30)]
    assert rows[0]["text"] == "第0份：请拨打[手机号]联系我们。"
    assert [row["text"] for row in rows[10:]] == texts[10:]
    assert all(not row["edits"] and not row["transforms"] for row in rows[10:])
    assert rows[0]["transforms"] == ["data.mask (1 spans)"]
    found = rows[0]["text"].index("联系")
    start, end = edits.original(edits.decode(rows[0]["edits"]), found, found + 2)
    assert texts[0][start:end] == "联系"
    counts = json.loads((tmp_path / "out" / "privacy.json").read_bytes())
    assert counts["replaced"] == {"mobile": 5, "bank_card": 5}
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert not [value for value in values if value.encode() in everything]


def test_a_corpus_is_masked_once(tmp_path):
    corpus = corpus_of(tmp_path / "in", ["电话13800138000和a@b.cn"])
    policy = policy_of(tmp_path / "p", default="pseudonymise")
    (tmp_path / "key").write_bytes(b"k" * 16)
    once = mask(Mask(key_file=str(tmp_path / "key")), corpus, policy, Run(tmp_path / "one"))
    with pytest.raises(ConfigError, match="masked before"):
        mask(Mask(key_file=str(tmp_path / "key")), once, policy, Run(tmp_path / "two"))


def test_edits_of_earlier_steps_are_kept(tmp_path):
    # "XX" stood at the start and was taken out: the row was changed before, but not masked.
    corpus = corpus_of(tmp_path / "in", ["电话13800138000。完"], edits=["[[0, 2, 0]]"])
    (row,) = mask(Mask(), corpus, policy_of(tmp_path / "p"), Run(tmp_path / "out")).rows()
    at = row["text"].index("完")
    assert edits.original(edits.decode(row["edits"]), at, at + 1) == (16, 17)


def test_ages_dates_and_amounts_are_made_coarser_where_the_policy_says(tmp_path):
    policy = policy_of(
        tmp_path / "p",
        actions={"age": "generalise", "date": "generalise", "amount": "generalise", "birth_date": "generalise"},
        generalise={"date": "quarter", "birth_date": "decade"},
    )
    corpus = corpus_of(
        tmp_path / "in",
        ["患者34岁，出生日期：1990年3月7日，2024年11月24日入院，花费1,234元。", "Aged 71, paid $99 on 3 May 2020."],
    )
    first, second = mask(Mask(), corpus, policy, Run(tmp_path / "out")).rows()
    assert first["text"] == "患者30-39岁，出生日期：1990年代，2024年第4季度入院，花费1000-10000元。"
    assert second["text"] == "Aged 70-79, paid $10-100 on 2020-Q2."


def test_mistakes_in_details_are_named():
    with pytest.raises(ConfigError, match="unknown detail 'week'"):
        policies.decode({"pii": {"generalise": {"date": "week"}}}, "p")
    with pytest.raises(ConfigError, match="nothing can be said of 'mobile'"):
        policies.decode({"pii": {"generalise": {"mobile": "year"}}}, "p")


def test_the_vault_gives_back_each_value_with_the_key_alone(tmp_path, key):
    draw = random.Random(2)
    mobiles = [f"138{draw.randrange(10**8):08d}" for _ in range(40)]
    corpus = corpus_of(tmp_path / "in", [f"电话{one}，联系人：王小明。" for one in mobiles])
    policy = policy_of(tmp_path / "p", actions={"mobile": "pseudonymise", "person": "pseudonymise"})
    kept = keep_vault(KeepVault(key_file=str(key)), corpus, policy, Run(tmp_path / "vault"))
    masked = pseudonymise(Pseudonymise(key_file=str(key)), corpus, policy, kept, Run(tmp_path / "masked"))
    for row, value in zip(masked.rows(), mobiles, strict=True):
        (found,) = [span for span in pii.detect(row["text"]) if span.kind == "mobile"]
        assert found.of(row["text"]) != value
        assert vault.reveal(kept, key, found.of(row["text"])).value == value
    assert vault.reveal(kept, key, "13000000000") is None
    raw = b"".join(path.read_bytes() for path in kept.path.iterdir())
    assert not [value for value in [*mobiles, "王小明"] if value.encode() in raw]
    with pytest.raises(ConfigError, match="does not open"):
        vault.reveal(kept, b"another key of 16 bytes", "13800138000")
    again = keep_vault(KeepVault(key_file=str(key)), corpus, policy, Run(tmp_path / "again"))
    assert (again.path / "vault.bin").read_bytes() == (kept.path / "vault.bin").read_bytes()


def test_a_damaged_vault_is_named(tmp_path, key):
    corpus = corpus_of(tmp_path / "in", ["电话13800138000"])
    policy = policy_of(tmp_path / "p", actions={"mobile": "pseudonymise"})
    kept = keep_vault(KeepVault(key_file=str(key)), corpus, policy, Run(tmp_path / "vault"))
    (row,) = pseudonymise(Pseudonymise(key_file=str(key)), corpus, policy, kept, Run(tmp_path / "m")).rows()
    raw = bytearray((kept.path / "vault.bin").read_bytes())
    raw[-1] ^= 1
    (kept.path / "vault.bin").chmod(0o600)
    (kept.path / "vault.bin").write_bytes(raw)
    with pytest.raises(ConfigError, match="damaged"):
        vault.reveal(kept, key, row["text"][2:])
    with pytest.raises(ConfigError, match="pseudonymises no kind"):
        keep_vault(KeepVault(key_file=str(key)), corpus, policy_of(tmp_path / "q"), Run(tmp_path / "v2"))


def test_two_values_never_share_a_pseudonym(tmp_path, key):
    # Names of two characters have few surrogates: with 400 of them some collide, and the vault draws again.
    given = "安博辰川达恩帆光和嘉景凯乐明宁鹏清然松涛"
    texts = [f"联系人：{a}{b}，男" for a in "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗梁" for b in given]
    corpus = corpus_of(tmp_path / "in", texts)
    policy = policy_of(tmp_path / "p", actions={"person": "pseudonymise"})
    kept = keep_vault(KeepVault(key_file=str(key)), corpus, policy, Run(tmp_path / "vault"))
    assert json.loads((kept.path / "vault.json").read_bytes())["again"]
    masked = pseudonymise(Pseudonymise(key_file=str(key)), corpus, policy, kept, Run(tmp_path / "masked"))
    names = [row["text"].removeprefix("联系人：").removesuffix("，男") for row in masked.rows()]
    assert len(set(names)) == len(texts)
    assert [vault.reveal(kept, key, name).value for name in names[:5]] == [t[4:6] for t in texts[:5]]


def table(tmp_path, rows):
    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_anonymity_is_measured_and_a_way_to_reach_k_is_found(tmp_path):
    rows = [{"age": 20 + i % 40, "city": f"city{i % 2}", "illness": "abcd"[i % 4]} for i in range(400)]
    path = table(tmp_path, rows)
    config = Anonymity(quasi_identifiers=("age", "city"), sensitive=("illness",), path=str(path), k=20)
    report = anonymity(config, None, run=Run(tmp_path / "r"))
    summary = {name: measure.value for name, measure in report.summary().items()}
    assert summary["k"] == 10
    assert summary["rows_at_risk"] == 1.0
    assert summary["l_distinct.illness"] == 1  # i % 40 fixes i % 4
    assert summary["t.illness"] == pytest.approx(0.75)
    suggestion = report.content["facts"]["suggestions"][0]
    assert suggestion["loss"] < 0.5
    raw = (tmp_path / "r" / "report.json").read_text("utf-8")
    assert "city0" not in raw


def test_a_table_with_enough_equals_needs_no_change(tmp_path):
    rows = [{"age": 30 + i % 2, "illness": "ab"[i // 2 % 2]} for i in range(40)]
    config = Anonymity(quasi_identifiers=("age",), sensitive=("illness",), path=str(table(tmp_path, rows)), k=5)
    report = anonymity(config, None, run=Run(tmp_path / "r"))
    summary = {name: measure.value for name, measure in report.summary().items()}
    assert (summary["k"], summary["rows_at_risk"]) == (20, 0)
    assert summary["l_entropy.illness"] == pytest.approx(2.0)
    assert summary["t.illness"] == pytest.approx(0.0)
    assert all(report.content["facts"]["met"].values())


def test_columns_in_meta_are_a_table_too(tmp_path):
    metas = [json.dumps({"zip": f"1000{i % 4}", "income": i}) for i in range(40)]
    corpus = corpus_of(tmp_path / "in", ["x"] * 40, meta=metas)
    report = anonymity(
        Anonymity(quasi_identifiers=("zip",), sensitive=("income",), k=10), corpus, run=Run(tmp_path / "r")
    )
    assert report.summary()["k"].value == 10
    with pytest.raises(ConfigError, match="no column 'zp'"):
        anonymity(Anonymity(quasi_identifiers=("zp",)), corpus, run=Run(tmp_path / "r2"))
