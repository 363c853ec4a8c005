"""Where code that a model wrote is run, without Docker, and what a run says of it."""

from septet.evaluate.sandbox.box import Isolation, Limits, Outcome, Result, Sandbox, isolation, pass_at_k

__all__ = ["Isolation", "Limits", "Outcome", "Result", "Sandbox", "isolation", "pass_at_k"]
