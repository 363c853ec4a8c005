"""The steps of stage 3, train: what each takes, what it makes, and what it can be told. The work is in the files beside."""

from septet.train.steps.media import Image, ImageCodes, Speech, image, image_codes, speech
from septet.train.steps.offline import Dqn, Ilql, dqn, ilql
from septet.train.steps.preferences import Dpo, Kto, Reward, dpo, kto, reward
from septet.train.steps.pretraining import Pretrain, pretrain
from septet.train.steps.reinforcement import Grpo, Ppo, grpo, ppo
from septet.train.steps.tuning import Bottleneck, FineTune, Ia3, Lora, Prompt, adapter, finetune, ia3, lora, prompt

__all__ = [
    "Bottleneck",
    "Dpo",
    "Dqn",
    "FineTune",
    "Grpo",
    "Ia3",
    "Ilql",
    "Image",
    "ImageCodes",
    "Kto",
    "Lora",
    "Ppo",
    "Pretrain",
    "Prompt",
    "Reward",
    "Speech",
    "adapter",
    "dpo",
    "dqn",
    "finetune",
    "grpo",
    "ia3",
    "ilql",
    "image",
    "image_codes",
    "kto",
    "lora",
    "ppo",
    "pretrain",
    "prompt",
    "reward",
    "speech",
]
