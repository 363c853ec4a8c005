"""Steps that hand reports to other tools, and take theirs."""

from __future__ import annotations

from typing import Literal

from septet.core import Config, External, Run, field, step
from septet.kinds import Report, Suite


class Export(Config):
    """Write a report in the formats of other tools."""

    formats: tuple[Literal["lm_eval", "inspect"], ...] = field(
        ("lm_eval", "inspect"), "lm_eval: results and samples of lm-evaluation-harness; inspect: logs of inspect_ai."
    )


@step("evaluate.export", version=1)
def export(config: Export, report: Report, suite: Suite, run: Run) -> Report:
    """The report as it is, with a folder beside it for each format, which that tool reads as its own."""
    from septet.evaluate import harness, inspect_log

    if "lm_eval" in config.formats:
        harness.write(report, suite, run.out / "lm_eval")
    if "inspect" in config.formats:
        inspect_log.write(report, run.out / "inspect")
    said = report.content
    return Report.write(run.out, report.name, report.summary(), report.items(), said["notes"], said["facts"])


class Bring(Config):
    """Read the samples that lm-evaluation-harness wrote."""

    path: External = field(doc="The folder with its samples_*.jsonl and results_*.json.")
    name: str = field("harness", "The report's name; gates refer to it.")


@step("evaluate.bring", version=1)
def bring(config: Bring, run: Run) -> Report:
    """A report of what lm-evaluation-harness found, to be compared with others item by item."""
    from pathlib import Path

    from septet.evaluate.harness_rows import brought

    return brought(Path(config.path), config.name, run)
