"""llama.cpp inside this process, for the GGUF form: the smallest memory, the quickest start, a cache of prompt prefixes.

The package is xllamacpp, which embeds llama.cpp's own server. That server also listens: here on a Unix socket in a
private folder, behind a key that nobody knows, so that there is no way around the gateway and its guard.
"""

from __future__ import annotations

import queue
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from septet.core import ConfigError, MissingExtra, StepFailed
from septet.inference.protocol import Asked, Completion, Likelihood, Options, Piece, Prompt, StopText, Unscored
from septet.kinds import Model
from septet.model.codec import Codec
from septet.model.processor import num_cores

_CONTEXT = 4096
"""Longest prompt with its answer, where the model allows it: 75 MB of keys and values for Gemma 3 270M."""
_SLOTS = 2
"""Requests that share the processor. llama.cpp gains little from more on a CPU: 1.1 to 1.4 times for eight (2026-11)."""
_CERTAIN = 1e4
_SILENT = -1


class LlamaCppEngine:
    """A model in GGUF form."""

    name = "llamacpp"

    def __init__(self, model: Model, threads: int = 0, slots: int = _SLOTS) -> None:
        try:
            import xllamacpp
        except ModuleNotFoundError as error:
            raise MissingExtra("xllamacpp", "llamacpp") from error
        weights = sorted(model.path.glob("*.gguf"))
        if not weights:
            raise ConfigError(
                "llama.cpp runs the GGUF form of a model, this one is safetensors", "Use compress.quantise"
            )
        self.codec = Codec(model.path)
        self._context = min(_CONTEXT, int(model.card.get("context") or _CONTEXT))
        self._folder = Path(tempfile.mkdtemp(prefix="septet-"))
        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights[0])
        settings.n_ctx = self._context * slots
        settings.n_parallel = slots
        settings.n_gpu_layers = 0
        settings.verbosity = _SILENT
        settings.warmup = False
        # A cache of the window alone cannot go back to a shared beginning: every prompt would be read anew.
        settings.swa_full = True
        settings.cache_ram_mib = 0
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads or num_cores()
        settings.hostnames = [str(self._folder / "closed.sock")]
        settings.api_keys = [secrets.token_hex(32)]
        settings.ui = settings.endpoint_slots = settings.endpoint_props = settings.endpoint_metrics = False
        try:
            self._server: Any = xllamacpp.Server(settings)
        except (RuntimeError, ValueError) as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise ConfigError(
                f"llama.cpp cannot load {weights[0].name}: {error}", "Make the GGUF form again"
            ) from error
        # Whoever lets a server go whose loop has not begun waits for its end for ever.
        self._server.handle_completions({"prompt": [0], "n_predict": 0, "cache_prompt": False})

    def generate(self, prompts: Sequence[Prompt], options: Options) -> list[Completion]:
        """One after the other: together they would be no faster here, and their sums would depend on each other."""
        return [self._complete(prompt, options) for prompt in prompts]

    def stream(self, prompt: Prompt, options: Options) -> Generator[Piece, None, None]:
        pieces: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
        closed = threading.Event()

        def take(piece: Piece, _: tuple[int, ...]) -> bool:
            pieces.put(piece)
            return closed.is_set()

        def work() -> None:
            try:
                self._continue(prompt, options, take, with_ids=False)
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                pieces.put(error)
                return
            pieces.put(None)

        worker = threading.Thread(target=work, name="llamacpp-stream")
        worker.start()
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            closed.set()
            worker.join()

    def score(self, asked: Sequence[Asked]) -> Iterator[tuple[int, list[Likelihood] | Unscored]]:
        """Token by token: each is made certain by a bias, and what comes back is its probability without the bias.

        The server keeps back the tokens that are only a part of a character: a continuation with one is not scored.
        """
        for index, one in enumerate(asked):
            longest = len(one.prompt.ids) + max((len(ids) for ids in one.continuations), default=0)
            if not one.continuations or not all(one.continuations):
                yield index, Unscored("an empty continuation has no probability")
            elif longest > self._context:
                yield index, Unscored(f"prompt and continuation have {longest} tokens, the context is {self._context}")
            else:
                try:
                    yield index, [self._likelihood(one.prompt, ids) for ids in one.continuations]
                except StepFailed as error:
                    yield index, Unscored(error.message)

    def _likelihood(self, prompt: Prompt, continuation: Sequence[int]) -> Likelihood:
        logs, greedy = [], True
        for at, token in enumerate(continuation):
            begun = Prompt((*prompt.ids, *continuation[:at]))
            request = self._request(begun, Options(max_tokens=1))
            choice = _choice(self._ask({**request, "n_probs": 1, "logit_bias": [[token, _CERTAIN]]}))
            kept = (choice.get("logprobs") or {}).get("content")
            if not kept:
                raise StepFailed(
                    f"llama.cpp does not tell the probability of a part of a character (token {token})",
                    "Score the safetensors form with the engine torch",
                )
            found = kept[0]
            if found["id"] != token:
                raise StepFailed(f"llama.cpp scored the token {found['id']} instead of {token}", "Use the torch engine")
            logs.append(float(found["logprob"]))
            likeliest = (found.get("top_logprobs") or [found])[0]
            greedy = greedy and likeliest["id"] == token
        return Likelihood(tuple(logs), greedy)

    def close(self) -> None:
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _complete(self, prompt: Prompt, options: Options) -> Completion:
        texts: list[str] = []
        ids: list[int] = []
        finish = ""

        def take(piece: Piece, new_ids: tuple[int, ...]) -> bool:
            nonlocal finish
            texts.append(piece.text)
            ids.extend(new_ids)
            finish = piece.finish
            return False

        self._continue(prompt, options, take, with_ids=True)
        text = "".join(texts)
        kept = [token for token in ids if token not in self.codec.stop_ids]
        if self.codec.decode(kept).strip() != text.strip():
            kept = self.codec.encode(
                text
            )  # a stop text was cut off, or a character came in parts, whose ids are kept back
        return Completion(text, tuple(kept), finish, len(prompt.ids))

    def _continue(
        self, prompt: Prompt, options: Options, take: Callable[[Piece, tuple[int, ...]], bool], *, with_ids: bool
    ) -> None:
        """Generate, handing on piece by piece until `take` returns true. Ids come with probabilities, and only so."""
        stop = StopText(options.stop)
        failed: list[Exception] = []

        def receive(answer: dict[str, Any]) -> bool:
            try:
                choice = _choice(answer)
            except StepFailed as error:
                failed.append(error)
                return True
            text, finish = stop.feed(choice["text"]), choice.get("finish_reason") or ""
            if stop.stopped:
                finish = "stop"
            elif finish:
                text += stop.rest()
            tokens = (choice.get("logprobs") or {}).get("content") or []
            left = take(Piece(text, finish), tuple(token["id"] for token in tokens))
            return left or stop.stopped

        request = {**self._request(prompt, options), "stream": True, "n_probs": int(with_ids)}
        self._server.handle_completions(request, receive)
        if failed:
            raise failed[0]

    def _request(self, prompt: Prompt, options: Options) -> dict[str, Any]:
        left = self._context - len(prompt.ids)
        if left < 1:
            raise ConfigError(
                f"the prompt has {len(prompt.ids)} tokens, the context is {self._context}",
                "Give fewer or shorter contexts",
            )
        return {
            "prompt": list(prompt.ids),
            "n_predict": min(options.max_tokens, left),
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": 0,
            "min_p": 0.0,
            "samplers": ["temperature", "top_p"],
            "seed": options.seed,
            # What is read from a cache differs in its last bits. A greedy answer does not see that; a drawn one does, and
            # the same seed must draw the same answer.
            "cache_prompt": options.temperature == 0,
        }

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._server.handle_completions(request)
        return answer


def _choice(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise StepFailed(f"llama.cpp refused the request: {answer['error'].get('message')}", "Shorten the prompt")
    choice: dict[str, Any] = answer["choices"][0]
    return choice


def make(model: Model) -> LlamaCppEngine:
    """The entry point."""
    return LlamaCppEngine(model)
