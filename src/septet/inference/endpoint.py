"""Any OpenAI-compatible endpoint as an engine: for models that run elsewhere, and for judges.

It is given the messages, not the ids: how they become a prompt is the endpoint's own affair.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from typing import Any

from septet.core import ConfigError, MissingExtra, StepFailed
from septet.inference.protocol import Completion, Options, Piece, Prompt
from septet.kinds import Model
from septet.model.codec import Codec

ADDRESS = "SEPTET_ENDPOINT"
KEY = "SEPTET_ENDPOINT_KEY"
_TIMEOUT_S = 120.0


class EndpointEngine:
    """A remote model. `codec` is of the local model whose place it takes, and makes the prompts' messages."""

    name = "endpoint"

    def __init__(self, codec: Codec, address: str, model: str, key: str = "none") -> None:
        try:
            import openai
        except ModuleNotFoundError as error:
            raise MissingExtra("openai", "client") from error
        self.codec = codec
        self._model = model
        self._errors = openai.OpenAIError
        self._client = openai.OpenAI(base_url=address, api_key=key, timeout=_TIMEOUT_S)

    def generate(self, prompts: Sequence[Prompt], options: Options) -> list[Completion]:
        made = []
        for prompt in prompts:
            try:
                answer = self._client.chat.completions.create(**self._request(prompt, options))
            except self._errors as error:
                raise StepFailed(f"the endpoint failed: {error}", "Check its address, its key and its log") from error
            choice = answer.choices[0]
            used = answer.usage.prompt_tokens if answer.usage else len(prompt.ids)
            made.append(Completion(choice.message.content or "", (), choice.finish_reason, used))
        return made

    def stream(self, prompt: Prompt, options: Options) -> Generator[Piece, None, None]:
        try:
            with self._client.chat.completions.create(**self._request(prompt, options), stream=True) as answer:
                for chunk in answer:
                    for choice in chunk.choices:
                        yield Piece(choice.delta.content or "", choice.finish_reason or "")
        except self._errors as error:
            raise StepFailed(f"the endpoint failed: {error}", "Check its address, its key and its log") from error

    def score(self, prompt: Prompt, continuations: Sequence[Sequence[int]]) -> list[float]:  # noqa: ARG002
        raise ConfigError(
            "an OpenAI-compatible endpoint does not tell the probability of a given text", "Score with a local engine"
        )

    def close(self) -> None:
        self._client.close()

    def _request(self, prompt: Prompt, options: Options) -> dict[str, Any]:
        if not prompt.messages:
            raise ConfigError("this prompt was made of token ids alone", "Make it with codec.prompt(messages)")
        return {
            "model": self._model,
            "messages": json.loads(json.dumps([dict(message) for message in prompt.messages])),
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": options.seed,
            "stop": list(options.stop) or None,
        }


def make(model: Model) -> EndpointEngine:
    """The entry point: address and key come from the environment, the remote name is the model card's."""
    address = os.environ.get(ADDRESS, "")
    if not address:
        raise ConfigError("no address of an endpoint is set", f"Set {ADDRESS}, such as http://localhost:8000/v1")
    return EndpointEngine(Codec(model.path), address, model.card["name"], os.environ.get(KEY, "none"))
