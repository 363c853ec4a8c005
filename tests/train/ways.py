"""Each way to fine-tune, at a rate at which a tiny model learns in seconds."""

from septet.core import Run
from septet.train import steps

WAYS = {
    "finetune": (steps.finetune, steps.FineTune(learning_rate=5e-3)),
    "lora": (steps.lora, steps.Lora(rank=8, learning_rate=1e-2)),
    "attention": (steps.lora, steps.Lora(rank=8, learning_rate=1e-2, targets="attention")),
    "mlp": (steps.lora, steps.Lora(rank=8, learning_rate=1e-2, targets="mlp")),
    "dora": (steps.lora, steps.Lora(rank=8, learning_rate=1e-2, dora=True)),
    "pfeiffer": (steps.adapter, steps.Bottleneck(reduction=4, learning_rate=1e-2)),
    "houlsby": (
        steps.adapter,
        steps.Bottleneck(reduction=4, learning_rate=1e-2, placement="houlsby", activation="gelu"),
    ),
    "prompt": (steps.prompt, steps.Prompt(method="prompt", virtual_tokens=8, learning_rate=5e-2)),
    "p-tuning": (steps.prompt, steps.Prompt(method="p-tuning", virtual_tokens=8, learning_rate=1e-2)),
    "prefix": (steps.prompt, steps.Prompt(method="prefix", virtual_tokens=8, learning_rate=1e-2)),
    "p-tuning-v2": (steps.prompt, steps.Prompt(method="p-tuning-v2", virtual_tokens=8, learning_rate=1e-1)),
    "ia3": (steps.ia3, steps.Ia3(learning_rate=5e-2)),
}


def tuned(way, model, rows, out, **changes):
    step, config = WAYS[way]
    values = {name: getattr(config, name) for name in config.__struct_fields__}
    return step(type(config)(**{**values, "precision": "float32", "epochs": 4.0, **changes}), model, rows, Run(out))
