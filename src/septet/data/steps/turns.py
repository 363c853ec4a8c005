"""What people said to each other and what they preferred, as rows to learn from."""

from __future__ import annotations

from septet.core import Config, Externals, Run, field, step
from septet.kinds import Conversations as ConversationRows
from septet.kinds import Policy
from septet.kinds import Preferences as PreferenceRows

_LICENCE = "The licence of the source. 'unknown' is an answer."
_ORIGIN = "public, commercial or private."
_ORIGINS = ("public", "commercial", "private")
_ACCESS = "The access class of the source, one word; a model that learned from it answers nobody below."


class Conversations(Config):
    """Read conversations to learn answers from."""

    paths: Externals = field(
        doc="Files or folders of JSON lines, JSON, CSV or Parquet. A row is messages (role and content), conversations (from and "
        "value), or instruction, input and output, or question and answer, under their English or Chinese names.",
    )
    system: str = field("", "What every conversation begins with that has no system message of its own.")
    licence: str = field(doc=_LICENCE)
    origin: str = field(doc=_ORIGIN, choices=_ORIGINS)
    dataset: str = field("", "The name of the source; empty: the file's name.")
    access: str = field("internal", _ACCESS)


@step("data.conversations", version=1)
def conversations(config: Conversations, policy: Policy | None, run: Run) -> ConversationRows:
    """Conversations in the messages form, personal data treated as the policy says; what is no conversation is kept beside with
    its reason."""
    from septet.data import turns

    return turns.conversations(config, policy, run)


class Preferences(Config):
    """Read which of two answers was preferred, or which single one was liked."""

    paths: Externals = field(
        doc="Files or folders of JSON lines, JSON, CSV or Parquet. A row is prompt, chosen and rejected, as text or messages; or "
        "chosen and rejected as whole conversations; or prompt, completion and label (true: liked); or prompt, completion and "
        "reward.",
    )
    licence: str = field(doc=_LICENCE)
    origin: str = field(doc=_ORIGIN, choices=_ORIGINS)
    dataset: str = field("", "The name of the source; empty: the file's name.")
    access: str = field("internal", _ACCESS)


@step("data.preferences", version=1)
def preferences(config: Preferences, policy: Policy | None, run: Run) -> PreferenceRows:
    """Preferences in the messages form, personal data treated as the policy says; what is none is kept beside with its reason."""
    from septet.data import turns

    return turns.preferences(config, policy, run)
