"""The built-in attack rules: which cue classes of `attack_cues`, standing together, make a finding.

Words are cheap and rules are few. `unless` names the classes that turn the same words into an honest question.
"""

from septet.core.config import Config, field


class Rule(Config):
    """Cue classes that together make a finding. The last class is the anchor: the others stand within `gap` of it."""

    id: str = field(doc="Name of the rule, `family.what`.")
    category: str = field(doc="What kind of attack the rule shows.")
    weight: float = field(0.7, "Score of a hit between 0 and 1.", ge=0, le=1)
    cues: tuple[str, ...] = field(doc="Names of the cue classes, anchor last.")
    gap: int = field(40, "Most characters between the anchor and each other cue; Chinese text takes half.", ge=0)
    unless: tuple[str, ...] = field(
        (), "Cue classes which, within `gap` of the anchor, make the request an honest one."
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="injection.override",
        category="prompt_injection",
        weight=0.85,
        cues=("override", "scope", "instruction"),
        gap=40,
        unless=("machine",),
    ),
    Rule(
        id="injection.override_weak", category="prompt_injection", weight=0.35, cues=("override", "instruction"), gap=24
    ),
    Rule(id="injection.override_phrase", category="prompt_injection", weight=0.6, cues=("override_phrase",)),
    Rule(
        id="injection.override_safety",
        category="prompt_injection",
        weight=0.6,
        cues=("override", "safety_rules"),
        gap=40,
    ),
    Rule(id="injection.persist", category="prompt_injection", weight=0.6, cues=("plant", "persist"), gap=64),
    Rule(
        id="agency.tool", category="excessive_agency", weight=0.6, cues=("tool", "damage"), gap=48, unless=("honest",)
    ),
    Rule(
        id="leak.secret",
        category="data_exfiltration",
        weight=0.65,
        cues=("reveal", "secret"),
        gap=40,
        unless=("honest",),
    ),
    Rule(
        id="exfiltration.list",
        category="data_exfiltration",
        weight=0.7,
        cues=("send", "others", "sink"),
        gap=64,
        unless=("honest",),
    ),
    Rule(id="injection.new_task", category="prompt_injection", weight=0.35, cues=("new_task",)),
    Rule(id="injection.replace", category="prompt_injection", weight=0.5, cues=("override", "new_task"), gap=120),
    Rule(id="injection.indirect", category="indirect_injection", weight=0.7, cues=("obey", "indirect"), gap=60),
    Rule(id="injection.privilege", category="prompt_injection", weight=0.3, cues=("privilege",)),
    Rule(
        id="injection.privileged_reveal", category="prompt_injection", weight=0.5, cues=("reveal", "privilege"), gap=80
    ),
    Rule(
        id="injection.privileged_override",
        category="prompt_injection",
        weight=0.6,
        cues=("override", "privilege"),
        gap=80,
    ),
    Rule(id="leak.prompt", category="prompt_leak", weight=0.8, cues=("reveal", "prompt"), gap=48),
    Rule(id="leak.override", category="prompt_leak", weight=0.4, cues=("override", "prompt"), gap=80),
    Rule(
        id="exfiltration.others",
        category="data_exfiltration",
        weight=0.75,
        cues=("reveal", "private", "others"),
        gap=40,
        unless=("honest",),
    ),
    Rule(
        id="exfiltration.send",
        category="data_exfiltration",
        weight=0.7,
        cues=("send", "private", "sink"),
        gap=64,
        unless=("honest",),
    ),
    Rule(id="exfiltration.prompt", category="data_exfiltration", weight=0.7, cues=("send", "prompt"), gap=64),
    Rule(
        id="jailbreak.persona",
        category="jailbreak",
        weight=0.75,
        cues=("persona", "unbound"),
        gap=160,
        unless=("machine",),
    ),
    Rule(
        id="jailbreak.freedom",
        category="jailbreak",
        weight=0.4,
        cues=("override", "unbound"),
        gap=120,
        unless=("machine",),
    ),
    Rule(id="jailbreak.no_refusal", category="jailbreak", weight=0.35, cues=("no_refusal",)),
    Rule(id="jailbreak.obedient", category="jailbreak", weight=0.5, cues=("unbound", "no_refusal"), gap=240),
    Rule(id="jailbreak.obedient_persona", category="jailbreak", weight=0.5, cues=("persona", "no_refusal"), gap=240),
    Rule(id="encoding.follow", category="encoded_payload", weight=0.6, cues=("follow", "decode"), gap=60),
    Rule(
        id="harm.weapon",
        category="weapons",
        weight=0.75,
        cues=("ask", "make", "weapon"),
        gap=48,
        unless=("honest", "machine"),
    ),
    Rule(id="harm.drugs", category="drugs", weight=0.75, cues=("ask", "deal", "drug"), gap=48, unless=("honest",)),
    Rule(
        id="harm.malware", category="malware", weight=0.75, cues=("ask", "code", "malware"), gap=48, unless=("honest",)
    ),
    Rule(
        id="harm.intrusion",
        category="intrusion",
        weight=0.7,
        cues=("ask", "break", "target"),
        gap=40,
        unless=("honest", "machine"),
    ),
    Rule(id="harm.fraud", category="fraud", weight=0.7, cues=("ask", "fraud"), gap=40, unless=("honest",)),
    Rule(
        id="harm.violence",
        category="violence",
        weight=0.7,
        cues=("ask", "kill", "person"),
        gap=32,
        unless=("honest", "machine"),
    ),
    Rule(id="harm.self", category="self_harm", weight=0.5, cues=("self",), unless=("honest",)),
    Rule(id="harm.self_how", category="self_harm", weight=0.5, cues=("ask", "self"), gap=48, unless=("honest",)),
    Rule(id="harm.hate", category="hate", weight=0.7, cues=("write", "hate"), gap=48, unless=("honest",)),
    Rule(id="harm.sexual", category="sexual", weight=0.7, cues=("write", "sexual"), gap=48, unless=("honest",)),
    Rule(id="harm.rumour", category="disinformation", weight=0.7, cues=("write", "rumour"), gap=48, unless=("honest",)),
    Rule(id="harm.spy", category="privacy", weight=0.65, cues=("ask", "spy"), gap=40, unless=("honest",)),
    Rule(id="harm.terror", category="terrorism", weight=0.7, cues=("ask", "terror"), gap=48, unless=("honest",)),
    Rule(id="harm.evade", category="evasion", weight=0.5, cues=("ask", "evade"), gap=80, unless=("honest",)),
    Rule(
        id="harm.framed_weapon",
        category="weapons",
        weight=0.4,
        cues=("frame", "make", "weapon"),
        gap=80,
        unless=("machine",),
    ),
    Rule(id="harm.framed_drugs", category="drugs", weight=0.4, cues=("frame", "deal", "drug"), gap=80),
)
