"""A sentence laid over a context in pieces that both have word for word, and what stands between the pieces.

Where the pieces on both sides lie side by side in the context and what is between them differs, something was exchanged: a name
for a name, a number for another one, a word for its opposite, or two parties with each other. Greedy tiling after Wise (1993).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from septet.detect import grounding_words as words
from septet.detect.grounding_names import Word, words_of
from septet.detect.grounding_tokens import Tokens

_NEAR = 14
"""Tokens between two pieces of the context that still count as one place."""
_SHORT = 6
"""Tokens up to which what stands at the edge of a clause is one thing, and may have been exchanged."""
_CAPITAL = re.compile(r"\b[A-Z]")
_CLOSED = tuple("\"'」』》”’)】")
"""Behind a negating character: it ends a name or a title and denies nothing."""
_HELD = 4
"""Tokens of the pieces on both sides from which on they hold a place fast."""
SURE, LIKELY, DOUBTFUL = 0.3, 0.45, 0.7
_PARTIES = 4
"""How many nouns behind one are looked at as the other party."""
_BESIDE = 4
"""Tokens between a number and the words that it belongs to."""
_SCOPE = 5
"""Tokens before what it denies in which a negation is looked for."""
_STOP = frozenset(
    (
        "of to in on at is are was were be been it its and or for with by as that this these those from has have had do does "
        "did"
    ).split()
)


class Tile(NamedTuple):
    """`size` tokens that both have: from `first` in the sentence, from `at` in the context."""

    first: int
    at: int
    size: int


def lay(
    said: Tokens, context: Tokens, places: Mapping[str | tuple[str, str], Sequence[int]], passage: tuple[int, int]
) -> list[Tile]:
    """Cover a sentence with the longest pieces of a context, from the left; of equal ones those in the passage, then near."""
    keys, theirs = said.stems, context.stems
    tiles: list[Tile] = []
    at, after = 0, passage[0]
    while at < len(keys):
        best: tuple[int, bool, int, int] | None = None
        pair = places.get((keys[at], keys[at + 1]), ()) if at + 1 < len(keys) else ()
        for place in (pair or (places.get(keys[at], ()) if _alone(keys[at]) else ()))[:64]:
            size = 1
            while at + size < len(keys) and place + size < len(theirs) and keys[at + size] == theirs[place + size]:
                size += 1
            rank = (size, passage[0] <= place < passage[1], -abs(place - after), place)
            if best is None or rank > best:
                best = rank
        if best is None:
            at += 1
            continue
        tiles.append(Tile(at, best[3], best[0]))
        after = best[3] + best[0]
        at += best[0]
    return tiles


def _alone(key: str) -> bool:
    """Whether a token may be a piece by itself: a number, or a word that says something."""
    return key[0] == "#" or (len(key) > 2 and key not in _STOP)


def conflicts(
    said: Tokens, context: Tokens, tiles: Sequence[Tile], named: Sequence[Word], denied: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, float]]:
    """What speaks against a sentence that lies over a context so, and what it leaves of its score."""
    yield from _denials(said, context, tiles, denied)
    yield from _beside(said, context, tiles)
    for fill, theirs, tight, edge in _places(said, context, tiles):
        yield from _exchanged(said, context, tiles, named, fill, theirs, tight, edge)
    yield from _inverted(said, context, tiles, named)


def _places(said: Tokens, context: Tokens, tiles: Sequence[Tile]) -> Iterator[tuple[range, range, bool, bool]]:
    """Each stretch between two pieces, or between one and the end of its clause, with what the context has there.

    The others say whether long enough pieces hold the place fast, and whether it stands at the edge of a clause.
    """
    for number, left in enumerate(tiles):
        for right in tiles[number + 1 : number + 4]:
            fill = range(left.first + left.size, right.first)
            theirs = range(left.at + left.size, right.at)
            if fill and 0 < len(theirs) <= _NEAR and said.clauses[right.first] - said.clauses[fill[0]] <= 1:
                yield fill, theirs, left.size + right.size >= _HELD and max(len(fill), len(theirs)) <= _NEAR - 4, False
    for number, tile in enumerate(tiles):
        if tile.size < 2:
            continue
        # A long piece holds a place at the edge of a clause by itself.
        alone = tile.size >= _HELD
        limit = _NEAR - 4 if alone else _SHORT
        before = tiles[number - 1] if number else None
        if before is None or not 0 <= tile.at - before.at - before.size <= _NEAR:
            fill = range(_opening(said, tile.first, 0), tile.first)
            theirs = range(_opening(context, tile.at, 0), tile.at)
            if fill and 0 < len(theirs) <= limit:
                yield fill, theirs, alone and len(fill) <= limit, True
        after = tiles[number + 1] if number + 1 < len(tiles) else None
        stop, there = tile.first + tile.size, tile.at + tile.size
        if after is None or not 0 <= after.at - there <= _NEAR:
            fill = range(stop, _closing(said, stop, len(said.keys)))
            theirs = range(there, _closing(context, there, len(context.keys)))
            if (
                fill
                and 0 < len(theirs) <= limit
                and (said.clauses[stop] > said.clauses[stop - 1])
                == (context.clauses[there] > context.clauses[there - 1])
            ):
                yield fill, theirs, alone and len(fill) <= limit, True


def _opening(tokens: Tokens, at: int, floor: int) -> int:
    """Where the clause begins that a token stands in, not before `floor`."""
    start = at
    while start > floor and tokens.clauses[start - 1] == tokens.clauses[at]:
        start -= 1
    return start


def _closing(tokens: Tokens, at: int, limit: int) -> int:
    """Where the clause ends that a token stands in, not after `limit`."""
    end = at
    while end < limit and tokens.clauses[end] == tokens.clauses[at]:
        end += 1
    return end


def _exchanged(
    said: Tokens,
    context: Tokens,
    tiles: Sequence[Tile],
    named: Sequence[Word],
    fill: range,
    theirs: range,
    tight: bool,
    edge: bool,
) -> Iterator[tuple[str, float]]:
    ours_text = said.view.text[said.starts[fill[0]] : said.ends[fill[-1]]]
    their_text = context.view.text[context.starts[theirs[0]] : context.ends[theirs[-1]]]
    ours, them = {said.stems[i] for i in fill}, {context.stems[i] for i in theirs}
    shown = f"'{ours_text}' stands where the passage says '{their_text}'"
    if _other_number(said, context, fill, theirs, ours, them, tight):
        yield shown, SURE
        return
    if _opposed(said, context, fill, theirs, ours_text.lower(), their_text.lower()):
        yield f"'{ours_text}' says the reverse of '{their_text}'", SURE
        return
    first, last = _opening(context, theirs[0], 0), _closing(context, theirs[-1], len(context.keys))
    # At the edge, what the same clause of the context says elsewhere was moved within it.
    whole = context.view.text[context.starts[first] : context.ends[last - 1]] if edge else their_text
    mine = _content(named, said.keys, fill, them, whole)
    if not mine:
        return
    other = _content(words_of(context, first, last), context.keys, theirs, ours, ours_text)
    if not other:
        return
    if words.POINTING.match(their_text) or (edge and any(said.keys[place] in words.COPULAS for place in fill)):
        # The passage only points at what the sentence names, or the sentence says it with a verb of its own.
        yield shown, DOUBTFUL
        return
    is_name, other_name = any(word.is_name for word in mine), any(word.is_name for word in other)
    nouns = any(word.is_noun for word in mine), any(word.is_noun for word in other)
    moved = {i for tile in tiles if tile.first in fill for i in range(tile.first, tile.first + tile.size)}
    if mine[0].text.isascii():
        if is_name and (other_name or tight):
            yield shown, SURE
        elif tight and len(mine) == len(other) == 1 and (moved or other_name):
            yield shown, LIKELY
        return
    known = any(word.is_noun and moved.issuperset(range(word.first, word.last)) for word in mine)
    certain = any(word.sure and word.is_noun for word in (*mine, *other))
    if all(nouns) and len(fill) <= _SHORT + 4 * tight and (is_name or (tight and (known or certain))):
        yield shown, SURE
    elif tight and (all(nouns) or (any(nouns) and (moved or other_name))):
        yield shown, LIKELY
    elif all(nouns):
        yield shown, DOUBTFUL


def _content(named: Sequence[Word], keys: Sequence[str], place: range, others: set[str], other_text: str) -> list[Word]:
    """The words of a place that say something of their own, and that do not stand at the place of the other text."""
    initials = "".join(_CAPITAL.findall(other_text))
    return [
        word
        for word in named
        if word.first < place.stop
        and word.last > place.start
        and word.text not in words.NEUTRAL
        and not any(key[0] == "#" for key in keys[word.first : word.last])
        and (len(word.text) > 1 or word.is_noun)
        and not (word.text.isascii() and (word.key in _STOP or word.key in words.JOINING))
        and word.stem not in others
        and word.text.lower() not in other_text.lower()
        and not (len(word.text) > 1 and word.text in initials)
    ]


def _other_number(
    said: Tokens, context: Tokens, fill: range, theirs: range, ours: set[str], them: set[str], tight: bool
) -> bool:
    """Whether a number of the sentence stands where the passage has another number of the same unit."""
    mine = [one for one in said.numbers if one.token in fill and said.keys[one.token] not in them]
    if not mine:
        return False
    spoken = set(said.keys)
    for there in context.numbers:
        if there.token not in theirs or context.keys[there.token] in ours:
            continue
        moved = context.keys[there.token] in spoken
        for one in mine:
            if (
                one.unit == there.unit
                and (not moved or len(ours) == len(them) <= 3)
                and (tight or len(theirs) <= _SHORT)
            ):
                return True
    return False


def _beside(said: Tokens, context: Tokens, tiles: Sequence[Tile]) -> Iterator[tuple[str, float]]:
    """A number beside words that in the context have another number of that unit beside them."""
    at_token = {one.token: one for one in context.numbers}
    for one in said.numbers:
        stem = said.stems[one.token]
        for tile in tiles:
            end = tile.first + tile.size
            if tile.first <= one.token < end or tile.size < 2:
                continue
            ahead = tile.first - one.token
            if 0 < ahead <= _BESIDE:
                theirs = range(max(0, tile.at - ahead), tile.at)
            elif 0 <= one.token - end < _BESIDE - 2:
                theirs = range(tile.at + tile.size, min(len(context.keys), tile.at + tile.size + one.token - end + 1))
            else:
                continue
            found = [at_token[place] for place in theirs if place in at_token]
            if any(context.stems[place] == stem for place in theirs) or not found:
                continue
            other = found[-1] if ahead > 0 else found[0]
            if other.unit == one.unit and not _between_numbers(said, one.token, tile):
                shown, passage = (
                    text.view.text[text.starts[token] : text.ends[token]]
                    for text, token in ((said, one.token), (context, other.token))
                )
                yield f"'{shown}' stands where the passage says '{passage}'", SURE
                break


def _between_numbers(said: Tokens, token: int, tile: Tile) -> bool:
    """Whether another number stands between a number and a piece: then the piece is that one's neighbour."""
    low, high = sorted((token, tile.first if tile.first > token else tile.first + tile.size - 1))
    return any(low < one.token < high for one in said.numbers)


def _inverted(
    said: Tokens, context: Tokens, tiles: Sequence[Tile], named: Sequence[Word]
) -> Iterator[tuple[str, float]]:
    """Two parties that changed places round what stands between them in both: who does what to whom was turned round."""
    nouns = [word for word in named if word.is_noun and said.keys[word.first][0] != "#"]
    for number, one in enumerate(nouns):
        for other in nouns[number + 1 : number + 1 + _PARTIES]:
            if said.clauses[one.first] != said.clauses[other.first] or one.stem == other.stem:
                continue
            if _joined_so(said, context, one, other) or _turned(said, context, tiles, one, other):
                yield f"'{one.text}' and '{other.text}' stand the other way round in the passage", SURE
                return


def _joined_so(said: Tokens, context: Tokens, one: Word, other: Word) -> bool:
    """Whether the context joins two words by the same words the other way round, and never this way."""
    between = said.stems[one.last : other.first]
    if not between or len(between) > _NEAR or all(stem in words.JOINING for stem in between):
        return False
    first, last = said.stems[one.first : one.last], said.stems[other.first : other.last]
    turned, straight = last + between + first, first + between + last
    return _stands(context.stems, turned) and not _stands(context.stems, straight)


def _stands(stems: Sequence[str], piece: list[str]) -> bool:
    size = len(piece)
    return any(stems[at] == piece[0] and stems[at : at + size] == piece for at in range(len(stems) - size + 1))


def _turned(said: Tokens, context: Tokens, tiles: Sequence[Tile], one: Word, other: Word) -> bool:
    """Whether round a piece that stands between two words the context has them the other way round, in one clause."""
    first, last = said.stems[one.first : one.last], said.stems[other.first : other.last]
    for tile in tiles:
        if tile.first < one.last or tile.first + tile.size > other.first:
            continue
        before = range(max(_opening(context, tile.at, 0), tile.at - _NEAR), tile.at)
        end = tile.at + tile.size
        after = range(end, min(_closing(context, end - 1, len(context.keys)), end + _NEAR))
        ahead, behind = context.stems[before.start : before.stop], context.stems[after.start : after.stop]
        if not (_stands(ahead, last) and _stands(behind, first)) or _stands(ahead, first) or _stands(behind, last):
            continue
        ours = said.view.text[said.starts[one.first] : said.ends[other.last - 1]]
        theirs = context.view.text[context.starts[before.start] : context.ends[after.stop - 1]]
        if bool(words.VOICE.search(ours)) == bool(words.VOICE.search(theirs)):
            return True
    return False


def _opposed(said: Tokens, context: Tokens, fill: range, theirs: range, ours_text: str, their_text: str) -> bool:
    ours, them = {said.keys[i] for i in fill}, {context.keys[i] for i in theirs}
    for pair in words.OPPOSITES:
        for one, other in (tuple(pair), tuple(pair)[::-1]):
            if one.isascii():
                if one in ours and other in them and one not in them and other not in ours:
                    return True
            elif one in ours_text and other in their_text and one not in their_text and other not in ours_text:
                return True
    if ours & words.ORDINALS - them and them & words.ORDINALS - ours:
        return True
    for duty, freedom in (words.DUTIES, words.DUTIES[::-1]):
        bound = bool(ours & duty) or any(word in ours_text for word in duty if not word.isascii())
        free = bool(them & freedom) or any(word in their_text for word in freedom if not word.isascii())
        if bound and free and not any(word in ours or (word in ours_text and not word.isascii()) for word in freedom):
            return not (_denies(said, fill) or _denies(context, theirs))
    return any(words.opposite(a, b) for a in ours - them for b in them - ours if len(a) > 3 and len(b) > 3)


def _denies(tokens: Tokens, place: range) -> bool:
    """Whether a negation stands in a place or just behind it."""
    return any(first in place or first == place.stop for first, _ in words.negations(tokens))


def _denials(
    said: Tokens, context: Tokens, tiles: Sequence[Tile], theirs: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, float]]:
    """Negations of one that the other lacks, before what both say."""
    ours = words.negations(said)
    for first, last in ours:
        if said.view.text[said.ends[last] : said.ends[last] + 1] in _CLOSED:
            continue
        if any(tile.first <= first and last + 1 < tile.first + tile.size and tile.size > 3 for tile in tiles):
            continue
        scope = next(
            (tile for tile in tiles if tile.first + tile.size > last + 1 and tile.first <= last + _SCOPE), None
        )
        if scope is None or said.clauses[max(scope.first, last)] != said.clauses[last]:
            continue
        at = scope.at + max(0, last + 1 - scope.first)
        if not _denied(context, theirs, at):
            shown = said.view.text[said.starts[first] : said.ends[min(last + 2, len(said.ends) - 1)]]
            yield f"'{shown}' is not denied in the passage", SURE
    for tile in tiles:
        if tile.size < 2 and not _alone(context.keys[tile.at]):
            continue
        for first, last in theirs:
            if (
                tile.at - 3 <= last < tile.at
                and context.clauses[last] == context.clauses[tile.at]
                and not any(other.at <= first and last < other.at + other.size for other in tiles)
                and not _denied(said, ours, tile.first)
            ):
                shown = context.view.text[context.starts[first] : context.ends[min(last + 2, len(context.ends) - 1)]]
                yield f"the passage denies it: '{shown}'", SURE


def _denied(tokens: Tokens, denials: Sequence[tuple[int, int]], at: int) -> bool:
    """Whether a negation stands just before a token, in its clause."""
    return any(
        at - _SCOPE - 1 <= last < at and tokens.clauses[last] == tokens.clauses[min(at, len(tokens.clauses) - 1)]
        for _, last in denials
    )
