"""Whether a number that a sentence takes from a table's row stands in the column that the sentence speaks of."""

from collections.abc import Sequence

from septet.detect.grounding_tokens import Tokens


def columns(said: Tokens, context: Tokens, heads: Sequence[tuple[int, int]], row: tuple[int, int]) -> str:
    """What is wrong, or "". `heads` and `row` are token ranges of the context; only rows of as many cells are compared."""
    if not heads:
        return ""
    cells = _cells(context, *row)
    titles: list[set[str]] = [set() for _ in cells]
    for head in heads:
        over = _cells(context, *head)
        if head != row and len(over) == len(cells):
            for title, tokens in zip(titles, over, strict=True):
                title.update(tokens)
    spoken = set(said.stems)
    own = set().union(*cells)
    for one in said.numbers:
        places = [place for place, cell in enumerate(cells) if place and said.stems[one.token] in cell]
        if not places:
            continue
        here = set().union(*(titles[place] for place in places))
        others = set().union(*(title for place, title in enumerate(titles) if place and place not in places))
        named = spoken & (others - here - own)
        if named and not spoken & (here - others):
            word = min(named).removeprefix("#")
            shown = said.view.text[said.starts[one.token] : said.ends[one.token]]
            return f"number {shown} stands in another column than {word}"
    return ""


def _cells(tokens: Tokens, first: int, last: int) -> list[set[str]]:
    """The stems of each cell of a table's row."""
    if first >= last:
        return []
    text = tokens.view.text
    start = text.rfind("\n", 0, tokens.starts[first]) + 1
    end = text.find("\n", tokens.starts[first])
    end = len(text) if end < 0 else end
    cells: list[set[str]] = [set()]
    at = start
    while at < end:
        stop = text.find("|", at, end)
        stop = end if stop < 0 else stop
        cells[-1].update(tokens.stems[place] for place in range(first, last) if at <= tokens.starts[place] < stop)
        at = stop + 1
        if stop < end:
            cells.append(set())
    return cells
