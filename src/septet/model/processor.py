"""What the processor offers, and torch settings that give the same bits each time. Nothing global stays changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def num_cores() -> int:
    """Cores this process may use, or fewer when OMP_NUM_THREADS says so.

    Threads beyond them make matrix products slower, and llama.cpp's spin against each other.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(wanted)) if wanted.isdigit() and int(wanted) else cores


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 products run in hardware here; elsewhere they are several times slower than float32."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def precision_of(wanted: str) -> str:
    """`auto`, `bfloat16` or `float32` as one of the last two."""
    if wanted != "auto":
        return wanted
    return "bfloat16" if multiplies_bfloat16() else "float32"


def device() -> str:
    """`cuda` where torch can use one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def random_states() -> dict[str, torch.Tensor]:
    """The states of torch's generators, to be given back to `set_random_states`."""
    import torch

    kept = {"random": torch.get_rng_state()}
    return kept | {"random_cuda": torch.cuda.get_rng_state()} if device() == "cuda" else kept


def set_random_states(kept: Mapping[str, torch.Tensor]) -> None:
    """The other way round."""
    import torch

    torch.set_rng_state(kept["random"])
    if "random_cuda" in kept:
        torch.cuda.set_rng_state(kept["random_cuda"])


def peak_flops(precision: str) -> float:
    """Floating-point operations a second that large matrix products reach here, with the threads that are set."""
    import statistics
    import time

    import torch

    where = device()
    width = 8192 if where == "cuda" else 1024
    x_WW = torch.ones(width, width, dtype=getattr(torch, precision), device=where)
    taken = []
    for _ in range(12):
        started = time.perf_counter()
        x_WW @ x_WW
        if where == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return 2.0 * width**3 / statistics.median(taken[2:])


def peak_memory_mb() -> float:
    """The most that this process has held in memory so far, in MiB: of the device where there is one."""
    import resource
    import sys

    import torch

    if device() == "cuda":
        return torch.cuda.max_memory_allocated() / (1 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@contextmanager
def repeatable(threads: int = 0) -> Iterator[None]:
    """Fixed threads and deterministic kernels inside the block. The number of threads decides in which order sums are taken."""
    import torch

    if device() == "cuda":  # cuBLAS refuses deterministic products without it
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    kept_threads = torch.get_num_threads()
    kept_mode = torch.are_deterministic_algorithms_enabled()
    kept_fill = torch.utils.deterministic.fill_uninitialized_memory
    torch.set_num_threads(threads or num_cores())
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = (
        False  # costs a pass over each new tensor; nothing here reads one
    )
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(kept_threads)
        torch.use_deterministic_algorithms(kept_mode)
        torch.utils.deterministic.fill_uninitialized_memory = kept_fill
