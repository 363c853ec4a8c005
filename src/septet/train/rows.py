"""Handing the rows of torch's tensors to compiled kernels, shared out among threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch

from septet.kernels.layers import BLOCK


def numbers(x: torch.Tensor) -> np.ndarray:
    """The numbers of a tensor as the kernels take them: the same memory, bfloat16 as its bits."""
    x = x.detach()
    return x.view(torch.uint16).numpy() if x.dtype == torch.bfloat16 else x.numpy()


def by_rows(function: Callable[..., None], split: Sequence[np.ndarray], *whole: Any, rows_a_block: int = BLOCK) -> None:
    """Call a kernel on the rows of `split`, shared out among torch's threads in blocks; each thread gets all of `whole`.

    Compiled code lets go of the interpreter, so that plain threads do: numba's own would spin against torch's.
    """
    rows = len(split[0])
    blocks = -(-rows // rows_a_block)
    threads = min(torch.get_num_threads(), blocks)
    if threads == 1:
        function(*split, *whole)
        return
    cuts = [min(rows, blocks * part // threads * rows_a_block) for part in range(threads + 1)]
    parts = [[one[low:high] for one in split] for low, high in itertools.pairwise(cuts)]
    waiting = [_threads().submit(function, *part, *whole) for part in parts[1:]]
    function(*parts[0], *whole)
    for one in waiting:
        one.result()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(1, torch.get_num_threads() - 1), thread_name_prefix="septet-kernel")
