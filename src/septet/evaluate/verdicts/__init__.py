"""What an output is worth: one function a family of benchmarks, (item, output) -> `Verdict`. Entry points: `septet.verdicts`."""

from septet.evaluate.verdicts.verdict import Outcome, Verdict

__all__ = ["Outcome", "Verdict"]
