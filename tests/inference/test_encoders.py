"""Encoders: unit vectors that depend on one text alone, centred by language, joined side by side, found by name."""

from __future__ import annotations

import numpy as np
import pytest

from septet.core import ConfigError, MissingExtra
from septet.inference.centring import Centred
from septet.inference.embedding import BUILT_IN, Hashing, encode_queries, load_encoder
from septet.inference.joined import Joined

TEXTS = ["怎样挂失银行卡", "How do I report a lost bank card?", "", "a\0b", "银行 bank"]


def check(encoder):
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), encoder.width)
    assert together.dtype == np.float32
    for row, text in zip(together, TEXTS, strict=True):
        assert np.array_equal(row, encoder.encode([text])[0]), text
        assert abs(float(row @ row) - 1) < 1e-3 or not text  # of nothing, the hashing encoder has no direction


def test_centred_and_joined_encoders_keep_the_promises_of_an_encoder():
    check(Centred(Hashing(), "centred"))
    check(Joined((Hashing(), Centred(Hashing(), "centred")), "joined"))


def test_the_cosine_of_joined_vectors_is_the_mean_of_the_parts():
    parts = (Hashing(), Centred(Hashing(), "centred"))
    first, second = (encode_queries(part, [TEXTS[0]])[0] @ part.encode(["挂失"])[0] for part in parts)
    joined = Joined(parts, "joined")
    assert encode_queries(joined, [TEXTS[0]])[0] @ joined.encode(["挂失"])[0] == pytest.approx((first + second) / 2)


def test_weights_of_a_joined_encoder_are_the_questions_alone():
    parts = (Hashing(), Centred(Hashing(), "centred"))
    joined, even = Joined(parts, "joined", (0.25, 0.75)), Joined(parts, "joined")
    assert np.array_equal(joined.encode(TEXTS), even.encode(TEXTS))
    asked = encode_queries(joined, [TEXTS[0]])[0]
    assert float(asked @ asked) == pytest.approx(1)
    held = joined.encode(["挂失", "Reporting a lost card"])
    first, second = (
        encode_queries(part, [TEXTS[0]])[0] @ part.encode(["挂失", "Reporting a lost card"]).T for part in parts
    )
    wanted = 0.25 * first + 0.75 * second
    assert (held @ asked)[0] / (held @ asked)[1] == pytest.approx(wanted[0] / wanted[1], rel=1e-4)


def test_centring_takes_away_what_a_language_shares():
    encoder = Centred(Hashing(), "centred")
    neutral = ["公司每年公布一次财务报告。", "图书馆周一到周五开放。", "天气预报说明天有雨。", "火车晚点了二十分钟。"]
    plain, less = Hashing().encode(neutral), encoder.encode(neutral)
    assert np.linalg.norm(less.mean(0)) < np.linalg.norm(plain.mean(0))


def test_names_are_joined_with_a_plus_and_unknown_ones_are_refused():
    assert load_encoder("hashing+hashing").width == 1024
    with pytest.raises(ConfigError, match="Did you mean 'multilingual-e5-small'"):
        load_encoder("multilingual-e5-smal")


def test_a_folder_without_a_model_is_refused(tmp_path):
    pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
    with pytest.raises(ConfigError, match=r"model\.onnx"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize("name", sorted({*BUILT_IN} - {"hashing"}))
def test_built_in_encoders_keep_the_promises(name):
    try:
        encoder = load_encoder(name)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    assert encoder.name == name
    check(encoder)


@pytest.mark.parametrize("name", ["centred-universal-sentence-encoder", "multilingual-e5-small", "multilingual"])
def test_multilingual_encoders_cross_languages(name):
    try:
        encoder = load_encoder(name)
    except MissingExtra as missing:
        pytest.skip(str(missing))
    passages = encoder.encode(["Report a lost bank card by telephone.", "The library opens at nine.", "今天天气很好。"])
    found = encode_queries(encoder, ["怎样挂失银行卡？", "图书馆几点开门？"]) @ passages.T
    assert found.argmax(1).tolist() == [0, 1]
