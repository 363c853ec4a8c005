"""The two steps as a user runs them: they learn, they report, they resume in the same bits, they stop when it goes wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from septet.core import ConfigError, Run, StepFailed
from septet.kinds import Conversations, Model
from septet.train.steps import (
    Bottleneck,
    FineTune,
    Lora,
    Pretrain,
    Prompt,
    adapter,
    finetune,
    lora,
    pretrain,
    prompt,
)
from septet.train.watch import Watch

PRETRAIN = Pretrain(steps=30, batch=4, learning_rate=5e-3, precision="float32")


def test_pretraining_lowers_the_loss_on_rows_it_did_not_see(tiny, tokens, tmp_path):
    events = []
    model = pretrain(PRETRAIN, tiny, tokens, Run(tmp_path / "out", emit=events.append))
    model.check()
    log = json.loads((model.path / "training.json").read_text())
    assert log["validation_loss_after"] < log["validation_loss_before"] - 1
    assert [event.at for event in events if event.metric == "loss"] == list(range(30))
    assert {"gradient_norm", "learning_rate", "tokens_per_second"} <= {event.metric for event in events}
    assert model.card["changes"] == ["pretrained on packed tokens"]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_adapter_learns_the_answers(taught, conversations, tmp_path, precision):
    config = Lora(held_out=0.0, rank=8, epochs=10, learning_rate=8e-3, precision=precision)
    adapter = lora(config, taught, conversations, Run(tmp_path / "out"))
    adapter.check()
    losses = json.loads((adapter.path / "training.json").read_text())["losses"]
    assert sum(losses[-4:]) < 0.5 * sum(losses[:4])
    assert json.loads((adapter.path / "adapter_config.json").read_text())["r"] == 8


def test_the_same_inputs_give_the_same_bytes(tiny, conversations, tmp_path):
    config = Lora(rank=4, dropout=0.1, epochs=0.5)
    digests = {lora(config, tiny, conversations, Run(tmp_path / name)).digest() for name in "ab"}
    assert len(digests) == 1


STEPS = {
    "lora": (lora, Lora(rank=4, dropout=0.1, epochs=2, precision="bfloat16")),
    "pretrain": (pretrain, Pretrain(steps=12, batch=4)),
    "finetune": (finetune, FineTune(epochs=2, accumulate=2, average=0.9)),
    "prefix": (prompt, Prompt(method="prefix", epochs=2, look_every=4)),
    "adapter": (adapter, Bottleneck(epochs=2)),
}
CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import test_steps
from septet.core import Run
from septet.kinds import Conversations, Model, Tokens
from septet.train import loop
loop._SAVE_EVERY_S = 0.0
which, model, data, out, scratch = sys.argv[2:]
step, config = test_steps.STEPS[which]
run = Run(out, scratch, emit=lambda event: print(event.kind, event.metric, event.at, flush=True))
step(config, Model(model), (Tokens if which == "pretrain" else Conversations)(data), run)
"""


@pytest.mark.parametrize("which", sorted(STEPS))
def test_a_killed_run_ends_in_the_bits_of_one_that_was_not(tiny, conversations, tokens, tmp_path, which):
    step, config = STEPS[which]
    data = tokens if which == "pretrain" else conversations
    step(config, tiny, data, Run(tmp_path / "whole"))

    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), which, str(tiny.path), str(data.path)]
    command += [str(tmp_path / "killed"), str(tmp_path / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        for line in killed.stdout:
            if line.startswith("metric loss 5"):
                os.kill(killed.pid, signal.SIGKILL)
                break
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "kept" / "checkpoint.safetensors").is_file()

    seen = []
    step(config, tiny, data, Run(tmp_path / "killed", tmp_path / "kept", emit=seen.append))
    assert next(event.at for event in seen if event.metric == "loss") in (4, 5, 6)
    names = sorted(file.name for file in (tmp_path / "whole").iterdir() if file.is_file())
    assert names == sorted(file.name for file in (tmp_path / "killed").iterdir() if file.is_file())
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name


def test_a_checkpoint_cut_in_half_is_not_trusted(tiny, tokens, tmp_path):
    run = Run(tmp_path / "out")
    (run.scratch / "checkpoint.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    model = pretrain(Pretrain(steps=1, batch=4), tiny, tokens, run)
    assert json.loads((model.path / "training.json").read_text())["steps"] == 1


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_rows(tiny, tokens, tmp_path):
    broken = tmp_path / "broken"
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny.path, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StepFailed, match=r"loss became nan .* at step 0, on row \d+"):
        pretrain(PRETRAIN, Model(broken), tokens, Run(tmp_path / "out"))


def test_a_loss_that_leaves_its_course_stops_the_run():
    watch = Watch(4.0, [1.0 + step % 3 for step in range(40)])
    watch.see(40, 9.0, 1.0, ["row 7"])
    watch.see(41, 2.0, 1.0, ["row 7"])
    watch.see(42, 9.0, 1.0, ["row 7"])
    watch.see(43, 9.0, 1.0, ["row 7"])
    with pytest.raises(StepFailed, match=r"the loss is 9\.00 at step 44.*last on row 7"):
        watch.see(44, 9.0, 1.0, ["row 7"])


def test_tokens_of_another_vocabulary_are_refused(tiny, tokens, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(tokens.path, other)
    meta = json.loads((other / "meta.json").read_text())
    (other / "meta.json").write_text(json.dumps(meta | {"vocabulary": 10**6}))
    with pytest.raises(ConfigError, match="vocabulary of 1000000"):
        pretrain(PRETRAIN, tiny, type(tokens)(other), Run(tmp_path / "out"))


def test_torch_is_left_as_it_was(tiny, tokens, tmp_path):
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    pretrain(Pretrain(steps=2, batch=4), tiny, tokens, Run(tmp_path / "out"))
    after = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


def test_importing_the_steps_brings_in_nothing_heavy():
    code = (
        "import sys, septet.model.steps, septet.train.steps, septet.compress.steps, septet.model.template\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'peft', 'jinja2', 'gguf', 'tokenizers'} & set(sys.modules)))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_a_row_without_messages_is_named(tiny, tmp_path):
    rows = Conversations.write(tmp_path / "rows", [{"id": "empty", "messages": []}])
    with pytest.raises(ConfigError, match="none of 1 rows can be trained on"):
        lora(Lora(), tiny, rows, Run(tmp_path / "out"))
