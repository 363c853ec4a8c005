"""What a speech model writes down: the likeliest token each time, stretch by stretch of a longer recording.

Shapes: R stretches, M mel bands, F frames, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from septet.kinds import Model
from septet.model.processor import precision_of, repeatable
from septet.model.speech import RATE, Listener
from septet.model.torch_folder import read_module

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_SEARCH_S, _QUIET_S = 4.0, 0.2


class Transcriber:
    """A speech model that was read once. Raises ConfigError for another kind of model.

    `module`: one that is at hand already, as while it is trained.
    """

    def __init__(self, model: Model, precision: str = "auto", module: PreTrainedModel | None = None) -> None:
        self.listener = Listener(model)
        self.module = module or read_module(model.path, precision_of(precision))

    def write(self, samples: np.ndarray, language: str = "") -> str:
        """The transcript of a recording of any length at `RATE`. Without a language, the likeliest one is taken."""
        stretches = [self.listener.features(one) for one in cut(samples, self.listener.seconds)]
        return " ".join(text for one in stretches if (text := self.batch(np.stack([one]), [language])[0]))

    def batch(self, features_RMF: np.ndarray, languages: Sequence[str]) -> list[str]:
        """The transcripts of stretches; those of one language, and so with as long a beginning, are written together."""
        weight = self.module.get_output_embeddings().weight
        texts = [""] * len(languages)
        with torch.no_grad(), repeatable():
            given = torch.from_numpy(features_RMF).to(weight.device, weight.dtype)
            heard = self.module.get_encoder()(given).last_hidden_state
            told = [one or self._language(heard[row : row + 1]) for row, one in enumerate(languages)]
            for language in sorted(set(told)):
                rows = [row for row, one in enumerate(told) if one == language]
                for row, ids in zip(rows, self._grow(heard[rows], language), strict=True):
                    texts[row] = self.listener.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return texts

    def _language(self, heard: torch.Tensor) -> str:
        known = self.listener.languages
        if not known:
            return ""
        first = torch.tensor([[self.listener.config["decoder_start_token_id"]]], device=heard.device)
        hidden = self.module.get_decoder()(input_ids=first, encoder_hidden_states=heard).last_hidden_state
        logits = self.module.get_output_embeddings()(hidden)[0, -1]
        return max(known, key=lambda code: float(logits[known[code]]))

    def _grow(self, heard: torch.Tensor, language: str) -> list[list[int]]:
        start, end = self.listener.start(language), self.listener.end
        ids = torch.tensor([start] * len(heard), device=heard.device)
        grown: list[list[int]] = [[] for _ in range(len(heard))]
        going, cache = set(range(len(heard))), None
        for place in range(self.listener.config["max_target_positions"] - len(start)):
            out = self.module.get_decoder()(
                input_ids=ids, encoder_hidden_states=heard, past_key_values=cache, use_cache=True
            )
            cache = out.past_key_values
            logits_RV = self.module.get_output_embeddings()(out.last_hidden_state[:, -1]).float()
            logits_RV[:, self.listener.never] = -torch.inf
            if not place:
                logits_RV[:, self.listener.never_first] = -torch.inf
            ids = logits_RV.argmax(-1, keepdim=True)
            for row, token in enumerate(ids[:, 0].tolist()):
                if token == end:
                    going.discard(row)
                elif row in going:
                    grown[row].append(token)
            if not going:
                break
        return grown


def cut(samples: np.ndarray, seconds: float) -> Iterator[np.ndarray]:
    """Stretches of at most some seconds, cut where the last of it is quietest; together they are the whole."""
    longest, quiet = int(seconds * RATE), int(_QUIET_S * RATE)
    while len(samples) > longest:
        low = max(quiet, longest - int(_SEARCH_S * RATE))
        starts = range(low, longest - quiet + 1, quiet // 2)
        place = min(starts, key=lambda at: float(np.square(samples[at : at + quiet]).sum())) + quiet // 2
        yield samples[:place]
        samples = samples[place:]
    yield samples
