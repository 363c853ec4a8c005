"""What a text contains: spans with a kind, a score and the rule that fired.

Detectors are pure functions over text. What is done with a span is the policy's decision (`detect.policy`), so the same
detectors serve the corpus, the training rows, the chunks, the prompts, the streamed answers and the logs.
"""

from septet.detect.span import Span, merge

__all__ = ["Span", "merge"]
