"""The words around the items of the published benchmarks: Septet's own, short and neutral, in the item's language.

The field's papers word theirs in many ways, and numbers move by a point or two with the wording: a report names the layout.
"""

from __future__ import annotations

from septet.evaluate.form import Layout

ENGLISH_EXAM = Layout(header="Each question below is about {subject} and has one right option.")
CHINESE_EXAM = Layout(
    header="下面每道题都属于“{subject}”，只有一个选项正确。",
    item="{question}\n{options}\n答案：",
    cloze="{question}\n答案：",
    answer="{answer}",
)
ENGLISH_MANY = Layout(
    header="Each question below is about {subject}; one or several of its options are right. Answer with all their letters."
)
CHINESE_MANY = Layout(
    header="下面每道题都属于“{subject}”，可能有多个选项正确，请写出全部正确选项的字母。",
    item="{question}\n{options}\n答案：",
    cloze="{question}\n答案：",
    answer="{answer}",
)
ENGLISH_QUESTION = Layout(item="Question: {question}\nAnswer:", cloze="Question: {question}\nAnswer:")
CHINESE_QUESTION = Layout(item="问题：{question}\n答案：", cloze="问题：{question}\n答案：", answer="{answer}")
ENGLISH_OPTIONS = Layout(item="Question: {question}\n{options}\nAnswer:", cloze="Question: {question}\nAnswer:")
CONTINUED = Layout(item="{question}", cloze="{question}")
"""The model goes on where the question ends."""
BARE = Layout(item="{question}", cloze="{question}", answer="{answer}")
"""Nothing but the question: code to be completed, instructions, openings."""

CODE_STOPS = ("\ndef", "\nclass", "\nif", "\nprint", "\n#")
"""Where a completed function has come to its end: code at the margin again."""
