"""Any OpenAI-compatible endpoint as an engine: for models that run elsewhere, and for judges.

It is given the messages, not the ids: how they become a prompt is the endpoint's own affair. A prompt of ids alone goes to the
older interface for completions, which servers for base models have (vLLM, llama.cpp): there the local tokenizer is the remote one.

Letters are scored by one request an item: the likeliest tokens are asked for at the place of the answer. A letter that is not among
them gets the least probability that was told, marked as a bound. Whole texts are scored where the server echoes a prompt with
its probabilities.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from septet.core import ConfigError, MissingExtra, StepFailed
from septet.inference.protocol import Asked, Completion, Likelihood, Options, Piece, Prompt, Unscored
from septet.kinds import Model
from septet.model.codec import Codec

ADDRESS = "SEPTET_ENDPOINT"
KEY = "SEPTET_ENDPOINT_KEY"
NAME = "SEPTET_ENDPOINT_MODEL"
_TIMEOUT_S = 120.0
_TOLD = 20
"""Likeliest tokens to ask for: the most that the interface allows."""
_AT_ONCE = 8
"""Requests on their way at a time: a server batches them."""


class EndpointEngine:
    """A remote model. `codec` is of the local model whose place it takes, and makes the prompts' messages;
    None: whoever asks makes them, tokens that the server does not count are 0, and nothing can be scored."""

    name = "endpoint"

    def __init__(
        self, codec: Codec | None, address: str, model: str, key: str = "none", timeout_s: float = _TIMEOUT_S
    ) -> None:
        try:
            import openai
        except ModuleNotFoundError as error:
            raise MissingExtra("openai", "client") from error
        self.codec: Any = codec
        self._model = model
        self._errors = openai.OpenAIError
        self._client = openai.OpenAI(base_url=address, api_key=key, timeout=timeout_s)

    def generate(self, prompts: Sequence[Prompt], options: Options) -> list[Completion]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda prompt: self._complete(prompt, options), prompts))

    def stream(self, prompt: Prompt, options: Options) -> Generator[Piece, None, None]:
        try:
            with self._ask(prompt, self._request(prompt, options), stream=True) as answer:
                for chunk in answer:
                    for choice in chunk.choices:
                        text = choice.delta.content if prompt.messages else choice.text
                        yield Piece(text or "", choice.finish_reason or "")
        except self._errors as error:
            raise StepFailed(f"the endpoint failed: {error}", "Check its address, its key and its log") from error

    def score(self, asked: Sequence[Asked]) -> Iterator[tuple[int, list[Likelihood] | Unscored]]:
        texts = [[self.codec.decode(ids).strip() for ids in one.continuations] for one in asked]
        # A letter is one character, and no two begin alike.
        letters = all(len(text) == 1 for one in texts for text in one) and all(len({*one}) == len(one) for one in texts)
        if not letters and any(one.prompt.messages for one in asked):
            raise ConfigError(
                "an endpoint for chat does not tell the probability of a given text",
                "Ask for letters (mode = 'letter'), or score with a local engine",
            )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            told = pool.map(self._letters if letters else self._echoed, asked, texts)
            yield from enumerate(told)

    def close(self) -> None:
        self._client.close()

    def _complete(self, prompt: Prompt, options: Options) -> Completion:
        answer = self._ask(prompt, self._request(prompt, options))
        choice = _choice(answer)
        text = getattr(choice.message, "content", None) if prompt.messages else choice.text
        # A server need not say how many tokens it read and wrote: then they are counted as the model here would cut them.
        read = getattr(answer.usage, "prompt_tokens", None) or len(prompt.ids)
        wrote = getattr(answer.usage, "completion_tokens", None) or self._count(text or "")
        return Completion(text or "", (), choice.finish_reason, read, wrote)

    def _count(self, text: str) -> int:
        return len(self.codec.encode(text)) if self.codec else 0

    def _letters(self, asked: Asked, letters: Sequence[str]) -> list[Likelihood] | Unscored:
        told = {"logprobs": True, "top_logprobs": _TOLD} if asked.prompt.messages else {"logprobs": _TOLD}
        try:
            answer = self._ask(asked.prompt, {**self._request(asked.prompt, Options(max_tokens=1)), **told})
            logs = _choice(answer).logprobs
        except StepFailed as error:
            return Unscored(error.message)
        if asked.prompt.messages:
            content = logs.content if logs else None
            top = [(one.token, one.logprob) for one in content[0].top_logprobs] if content else []
        else:
            top = list(logs.top_logprobs[0].items()) if logs and logs.top_logprobs else []
        top = [(token, log) for token, log in top if isinstance(log, float | int) and math.isfinite(log)]
        if not top:
            return Unscored("the endpoint told no probabilities")
        found = []
        bare = 0
        for letter in letters:
            # " A" and "A" are two tokens, and the same answer.
            its = [log for token, log in top if token.replace("▁", " ").strip() == letter]
            total = (
                max(its) + math.log(sum(math.exp(log - max(its)) for log in its)) if its else min(log for _, log in top)
            )
            bare += not its
            found.append(Likelihood((total,), bool(its) and max(top, key=lambda one: one[1])[1] in its, bound=not its))
        if bare == len(letters):
            # All would be even, and the first would be chosen.
            return Unscored(f"none of the letters is among the {len(top)} likeliest tokens")
        return found

    def _echoed(self, asked: Asked, _: Sequence[str]) -> list[Likelihood] | Unscored:
        found = []
        for ids in asked.continuations:
            whole = Prompt((*asked.prompt.ids, *ids))
            request = {**self._request(whole, Options(max_tokens=1)), "echo": True, "logprobs": 1}
            try:
                answer = self._ask(whole, request)
                logs = _choice(answer).logprobs
            except StepFailed as error:
                return Unscored(error.message)
            start = len(asked.prompt.ids)
            own = list(logs.token_logprobs[start : start + len(ids)]) if logs and logs.token_logprobs else []
            if len(own) < len(ids) or None in own:
                return Unscored("the endpoint does not echo the probabilities of a prompt")
            tops = (logs.top_logprobs or [])[start : start + len(ids)]
            best = [max(top.values()) for top in tops if top]
            greedy = len(best) == len(own) and all(log >= top for log, top in zip(own, best, strict=True))
            found.append(Likelihood(tuple(float(log) for log in own), greedy))
        return found

    def _ask(self, prompt: Prompt, request: Mapping[str, Any], *, stream: bool = False) -> Any:
        make = self._client.chat.completions.create if prompt.messages else self._client.completions.create
        try:
            return make(**request, stream=stream)
        except self._errors as error:
            raise StepFailed(f"the endpoint failed: {error}", "Check its address, its key and its log") from error

    def _request(self, prompt: Prompt, options: Options) -> dict[str, Any]:
        said = json.loads(json.dumps([dict(message) for message in prompt.messages]))
        return {
            "model": self._model,
            **({"messages": said} if said else {"prompt": list(prompt.ids)}),
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": options.seed,
            "stop": list(options.stop) or None,
        }


def _choice(answer: Any) -> Any:
    """The first choice of an answer. Raises StepFailed for an answer of another form: a page of a proxy, an empty list."""
    choices = getattr(answer, "choices", None)
    if not isinstance(choices, list) or not choices:
        raise StepFailed(
            f"the endpoint's answer holds no choice: {' '.join(str(answer).split())[:80]}",
            "Check its address, which ends in /v1 as a rule, and its log",
        )
    return choices[0]


def make(model: Model) -> EndpointEngine:
    """The entry point: address and key come from the environment, the remote name too, or from the model card."""
    address = os.environ.get(ADDRESS, "")
    if not address:
        raise ConfigError("no address of an endpoint is set", f"Set {ADDRESS}, such as http://localhost:8000/v1")
    name = os.environ.get(NAME) or model.card["name"]
    return EndpointEngine(Codec(model.path), address, name, os.environ.get(KEY, "none"))
