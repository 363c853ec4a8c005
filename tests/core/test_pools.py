"""Pieces side by side: in order, in worker processes, with their errors; the same from a Ray cluster."""

from __future__ import annotations

import os

import pytest

import toy
from septet.core import ConfigError, Run, StepFailed
from septet.engines.local import inline
from septet.engines.pools import Processes, chosen


def test_results_come_in_the_order_of_the_pieces_from_other_processes(tmp_path):
    run = Run(tmp_path / "out", pool=Processes(2))

    results = list(run.map(toy.slow_square, [[3, 0.05], [4, 0.0], [5, 0.0]]))
    assert [square for square, _ in results] == [9, 16, 25]

    assert all(process != os.getpid() for _, process in results)
    assert next(iter(Run(tmp_path / "one").map(toy.slow_square, [[3, 0.0]])))[0] == 9


def test_an_error_of_a_piece_is_the_error_of_the_run(tmp_path):

    with pytest.raises(ConfigError, match="seven is not allowed"):
        list(Run(tmp_path / "out", pool=Processes(2)).map(toy.refuses_seven, [1, 7, 3]))
    with pytest.raises(StepFailed, match="ended with status"):
        list(Run(tmp_path / "out", pool=Processes(2)).map(toy.dies, [1, 2]))


def test_a_function_inside_a_function_is_refused(tmp_path):
    with pytest.raises(TypeError, match="top of a module"):
        list(Run(tmp_path / "out").map(lambda piece: piece, [1]))


def test_options_are_checked():
    with pytest.raises(ConfigError, match="no option 'worker'"):
        inline({"worker": 2})
    with pytest.raises(ConfigError, match="workers is 0"):
        inline({"workers": 0})
    assert chosen("inline", {"workers": 1, "memory_mb": 10}).memory_mb == 10
