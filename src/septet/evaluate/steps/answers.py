"""Steps that measure an assistant on a team's own questions: answers, choices, retrieval, speech."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, Run, field, step
from septet.kinds import KnowledgeBase, Model, Policy, Recordings, Report, Suite


class Answers(Config):
    """Ask a model every question of a suite."""

    name: str = field("answers", "The report's name; gates refer to it.")
    max_tokens: int = field(48, "Longest answer, in tokens; a longer one is cut off and counted.", ge=1, le=4096)
    context_tokens: int = field(360, "Budget of the contexts of a prompt, in estimated tokens.", ge=32)
    batch: int = field(8, "Questions at a time.", ge=1, le=256)


@step("evaluate.answers", version=6)
def answers(config: Answers, model: Model, suite: Suite, policy: Policy | None, run: Run) -> Report:
    """Exact match, F1, groundedness, citations and abstention on a suite's questions, with intervals and every item kept.

    What counts as grounded is the policy's say, where one is given.
    """
    from septet.detect import policy as policies
    from septet.evaluate.answers import evaluate

    rules = policies.load(policy.path) if policy is not None else policies.Policy()
    return evaluate(
        config.name,
        model,
        suite,
        rules.grounding.settings(),
        config.max_tokens,
        config.context_tokens,
        config.batch,
        run,
    )


class Faithfulness(Config):
    """Ask again without the passages that were cited."""

    name: str = field("faithfulness", "The report's name; gates refer to it.")
    limit: int = field(40, "Cited answers that are asked again at most, spread over the suite.", ge=1)
    max_tokens: int = field(48, "Longest answer, in tokens.", ge=1, le=4096)
    context_tokens: int = field(360, "Budget of the contexts of a prompt, in estimated tokens.", ge=32)
    batch: int = field(8, "Questions at a time.", ge=1, le=256)


@step("evaluate.faithfulness", version=2)
def faithfulness(config: Faithfulness, model: Model, suite: Suite, policy: Policy | None, run: Run) -> Report:
    """Whether an answer hangs on the passage that it cites: without it, it must change, or be withdrawn."""
    from septet.detect import policy as policies
    from septet.evaluate.faithfulness import evaluate

    rules = policies.load(policy.path) if policy is not None else policies.Policy()
    return evaluate(config, model, suite, rules.grounding.settings(), run)


class Choice(Config):
    """Score multiple choice by likelihood."""

    name: str = field("choice", "The report's name; gates refer to it.")
    context_tokens: int = field(360, "Budget of the contexts of a prompt, in estimated tokens.", ge=32)


@step("evaluate.choice", version=1)
def choice(config: Choice, model: Model, suite: Suite, run: Run) -> Report:
    """Accuracy on a suite's choice items, by the likelihood of each option's whole text."""
    from septet.evaluate.choice import evaluate

    return evaluate(config.name, model, suite, config.context_tokens, run)


class Compare(Config):
    """Compare two reports on the same items."""

    name: str = field("comparison", "The report's name; gates refer to it.")


@step("evaluate.compare", version=2)
def compare(config: Compare, before: Report, after: Report, run: Run) -> Report:
    """Paired differences with intervals, McNemar's test, and the list of what got better and worse."""
    from septet.evaluate.compare import compare as compare_reports

    return compare_reports(config.name, before, after, run)


class Retrieval(Config):
    """Measure how well a knowledge base finds the evidence of questions."""

    name: str = field("retrieval", "The report's name; gates refer to it.")
    modes: tuple[Literal["text", "vector", "hybrid"], ...] = field(
        ("text", "vector", "hybrid"), "Ways of searching to measure on the same questions."
    )
    split: str = field("test", "Which questions to ask; empty: all.")
    top: int = field(20, "How many chunks a search brings; a right one beyond them counts as not found.", ge=10, le=200)


@step("evaluate.retrieval", version=4)
def retrieval(config: Retrieval, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Report:
    """R@1, R@5, MRR and nDCG@10 of the evidence, by mode and languages of question and evidence, with every question kept."""
    from septet.evaluate.retrieval import evaluate

    return evaluate(config.name, suite, knowledge, config.modes, config.split, config.top, run)


class Speech(Config):
    """Measure how well a speech model writes down recordings."""

    name: str = field("speech", "The report's name; gates refer to it.")


@step("evaluate.speech", version=1)
def speech(config: Speech, model: Model, recordings: Recordings, run: Run) -> Report:
    """Word error rate, in Chinese over characters, overall and by language, with every transcript kept."""
    from septet.evaluate.speech import evaluate

    return evaluate(config.name, model, recordings, run)
