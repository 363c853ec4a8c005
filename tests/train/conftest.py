import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_models

from septet.core import Run
from septet.files import write_json
from septet.kinds import Conversations, Tokens
from septet.model.codec import Codec
from septet.train.steps import Pretrain, pretrain

QUESTIONS = (
    ("年费是多少？", "一百二十元"),
    ("What does it cost?", "12 dollars"),
    ("第二年呢？", "不免"),
    ("And the first?", "free"),
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def conversations(tmp_path_factory):
    rows = [
        {
            "id": f"row-{number}",
            "messages": [
                {"role": "user", "content": f"{number}. {question}\nAnswer:"},
                {"role": "assistant", "content": answer},
            ],
        }
        for number in range(6)
        for question, answer in QUESTIONS
    ]
    return Conversations.write(tmp_path_factory.mktemp("rows"), rows)


@pytest.fixture(scope="session")
def tokens(tiny, tmp_path_factory):
    """Packed rows of 48 tokens, as data.pack writes them."""
    path = tmp_path_factory.mktemp("tokens")
    codec = Codec(tiny.path)
    texts = [[1, *codec.encode(text), 2] for text in tiny_models.TEXTS * 8]
    ids = [token for text in texts for token in text]
    sequence = 48
    rows = -(-len(ids) // sequence)
    cuts = sorted({0, len(ids), *np.cumsum([len(text) for text in texts]), *range(0, len(ids), sequence)})
    placed = [
        {
            "document": f"text {start}",
            "row": start // sequence,
            "start": start % sequence,
            "end": start % sequence + end - start,
        }
        for start, end in itertools.pairwise(cuts)
    ]
    table = np.zeros(rows * sequence, "uint16")
    table[: len(ids)] = ids
    half = rows // 2 * sequence
    table[:half].tofile(path / "tokens-00000.bin")
    table[half:].tofile(path / "tokens-00001.bin")
    pq.write_table(pa.Table.from_pylist(placed), path / "documents.parquet")
    meta = {
        "sequence": sequence,
        "rows": rows,
        "dtype": "uint16",
        "vocabulary": codec.tokenizer.get_vocab_size(),
        "pad": 0,
        "shards": [
            {"file": "tokens-00000.bin", "rows": rows // 2, "sha256": ""},
            {"file": "tokens-00001.bin", "rows": rows - rows // 2, "sha256": ""},
        ],
    }
    write_json(path / "meta.json", meta)
    return Tokens(path)


@pytest.fixture(scope="session")
def taught(tiny, tokens, tmp_path_factory):
    """A model whose output layer says something: adapters do not change it."""
    config = Pretrain(steps=30, batch=4, learning_rate=5e-3, precision="float32")
    return pretrain(config, tiny, tokens, Run(tmp_path_factory.mktemp("taught") / "out"))
