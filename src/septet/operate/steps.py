"""The steps of stage 6, operate. The work is in the files beside."""

from __future__ import annotations

import msgspec

from septet.core import Config, GateRefused, Run, field, step
from septet.files import write_json
from septet.kinds import KnowledgeBase, Model, Policy, Release, Report


class MakeRelease(Config):
    """Bind what was tested into one unit, if every gate holds."""

    name: str = field(doc="The name under which it is served; clients give it as `model`.")
    gates: str = field("release", "Which set of the policy's gates must hold.")
    top: int = field(3, "Chunks that an answer may stand on.", ge=1, le=20)
    context_tokens: int = field(360, "Budget of the contexts of a prompt, in estimated tokens.", ge=32)
    max_tokens: int = field(96, "Longest answer, in tokens, unless the caller asks for less.", ge=1, le=8192)
    readers: str = field(
        "",
        "The lowest access class of those who will ask. A model that learned from a class above it is refused. Empty: who may "
        "ask follows from what the model learned.",
    )
    updates: str = field(
        "pinned",
        "Whether answers stand on the knowledge base as it was tested (pinned) or follow what `septet update` adds to it (follow).",
        choices=("pinned", "follow"),
    )
    note: str = field("", "What changed, for the people who approve.")


@step("operate.release", version=2)
def release(
    config: MakeRelease, model: Model, knowledge: KnowledgeBase, policy: Policy, reports: tuple[Report, ...], run: Run
) -> Release:
    """Hold every gate of the policy to the reports; write the release, or refuse it and name each gate that is red."""
    from septet.detect import policy as policies
    from septet.detect.access import is_cleared
    from septet.model.folder import check_chats
    from septet.operate.classes import learned_classes
    from septet.operate.gates import judge

    check_chats(model.path)
    rules = policies.load(policy.path)
    learned = tuple(sorted({*learned_classes(model.path), *learned_classes(knowledge.path)}))
    if config.readers and not is_cleared(rules.access, config.readers, learned):
        raise GateRefused(
            f"the model, or the reranker of its knowledge base, learned from rows of {', '.join(learned)}, and readers of "
            f"'{config.readers}' may not see all of these",
            "Train it on what they may see (data.rows and data.ask have 'access'), or release it to a higher class",
        )
    digest = model.digest()
    verdicts = judge(rules, config.gates, reports, digest)
    red = [one for one in verdicts if not one.green]
    if red:
        raise GateRefused(
            f"{len(red)} of {len(verdicts)} gates of '{config.name}' are red: "
            + "; ".join(f"{one.report} {one.metric}: {one.reason}" for one in red),
            "Mend what they measure, or change the policy in the open and run again",
        )
    run.note(f"all {len(verdicts)} gates are green")
    write_json(
        run.out / "release.json",
        {
            "name": config.name,
            "note": config.note,
            "settings": {
                "top": config.top,
                "context_tokens": config.context_tokens,
                "max_tokens": config.max_tokens,
            },
            "model": {"digest": digest, "form": model.form, "card": model.card, "learned": learned},
            "readers": config.readers,
            "knowledge": {"digest": knowledge.digest(), "meta": knowledge.meta, "updates": config.updates},
            "policy": {"digest": policy.digest()},
            "reports": [
                {"name": one.name, "digest": one.digest(), "summary": one.content["summary"]} for one in reports
            ],
            "gate_set": config.gates,
            "gates": msgspec.to_builtins(verdicts),
        },
    )
    return Release(run.out)
