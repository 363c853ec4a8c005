"""Every quality signal of a column of texts in one compiled pass over their UTF-8 bytes.

One loop reads a text character by character and keeps counts of characters, words, lines, paragraphs and sentences; the n-gram
shares follow from the hashes of its words (`repetition`). Words are runs of letters and digits in other scripts and single
characters in Chinese, Japanese and Korean. Time is linear in the text. Memory is bounded: n-grams by stretches of a million
words, and repeated lines among the first 500,000 different ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from septet.kernels.characters import (
    BREAK,
    BROKEN,
    BULLET,
    CJK,
    DIGIT,
    HIDDEN,
    LETTER,
    MARK,
    SPACE,
    TERMINAL,
    WORD,
    character_at,
    kind_of,
)
from septet.kernels.repetition import add, room, shares
from septet.kernels.signal_tables import (
    BOILERPLATE,
    HTTP,
    HTTPS,
    LOREM,
    NAMES,
    POLICY,
    SCRIPT,
    SPAM,
    WWW,
    tables,
    token,
)
from septet.kernels.words import U, mix

_LINES = 1 << 20  # places for different lines and paragraphs; half are used
_SHORT_LINE = 30
_PREFIX = 400


def measure_column(data: Any, offsets: Any, languages: Any) -> Any:
    """The signals of each text: float64 (texts, len(NAMES)). `languages` (uint8): whose stop words count, 0 English,
    1 Chinese, 2 those of both."""
    rows = offsets.size - 1
    longest = int(np.diff(offsets).max()) if rows else 0
    work = room(longest + 2)
    lines = min(_LINES, 1 << (2 * longest + 64).bit_length())
    line_keys, line_counts = np.zeros(lines, np.uint64), np.zeros(lines, np.int32)
    seen = np.full(65536, -1, np.int32)
    out = np.zeros((rows, len(NAMES)))
    _measure(data, offsets, languages, *tables(), *work, line_keys, line_counts, seen, out)
    return np.round(out, 6)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _measure(  # type: ignore[no-untyped-def]
    data,
    offsets,
    languages,
    kinds,
    folded,
    step,
    found,
    stop_keys,
    stop_values,
    hashes,
    lengths,
    gaps,
    keys,
    counts,
    places,
    slots,
    line_keys,
    line_counts,
    seen,
    out,
):
    grams = np.zeros(11, np.int64)
    room_for = hashes.size - 1
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        if start == end:
            continue
        o = out[row]
        grams[:] = 0
        size = 64
        while size < end - start + 16 and size < line_keys.size:
            size <<= 1
        line_keys[:size] = U(0)
        line_counts[:size] = 0
        line_mask, line_room, line_used = size - 1, size // 2, 0
        # Characters.
        chars = spaces = digits = alphanumeric = plain = special = brackets = curly = hashmarks = ellipses = broken = 0
        newlines = dots = url = distinct = run = longest_run = 0
        in_url = False
        # Words.
        word, word_size, word_letter = U(0), 0, False
        tokens = words = latin = latin_size = alphabetic = function_words = 0
        english = chinese = 0
        after_latin = False
        total = U(0)
        hashes[0], lengths[0], gaps[0] = U(0), 0, 0
        # The line so far, and as it was at its last character that is no blank.
        line, line_size, line_at_last, line_size_at_last = U(0), 0, U(0), 0
        line_first = line_second = line_third = line_last = np.int64(-1)
        line_last_kind = np.int64(0)
        line_word = line_long = False
        line_found = line_words = line_sentences = line_dots = 0
        spam = 0
        lines = bullets = ellipsis_lines = marked = short = boilerplate = lorem = 0
        repeated = repeated_chars = repeated_plain = line_chars = kept_chars = kept_sentences = 0
        first_longest = second_longest = third_longest = 0
        # Paragraph and sentence.
        paragraph, paragraph_size, paragraph_found = U(0), 0, 0
        paragraphs = repeated_paragraphs = repeated_paragraph_chars = boilerplate_paragraphs = 0
        sentences = unmarked = since = 0
        mark = 0
        state = np.int64(0)
        i = start
        while i <= end:
            code, width, kind = np.int64(10), 1, np.int64(SPACE | BREAK)
            if i < end:
                code, width = character_at(data, i, end)
                kind = kind_of(code, kinds)
                chars += 1
                for k in range(i, i + width):
                    state = np.int64(step[(state << 8) | np.int64(data[k])])
                bits = found[state]
                if bits:
                    line_found |= bits
                    spam += bits & SPAM != 0
                    if bits & (HTTP | HTTPS | WWW) and not in_url:
                        in_url = True
                        url += 3 if bits & WWW else (7 if bits & HTTPS else 6)  # and this character, below
                if in_url:
                    if code <= 32 or code >= 127:
                        in_url = False
                    else:
                        url += 1
                if chars <= _PREFIX:
                    place = code & 65535
                    if seen[place] != row:
                        seen[place] = row
                        distinct += 1
                if code == 13 and i + 1 < end and data[i + 1] == 10:
                    kind = np.int64(SPACE)
            i += width
            # Words: a mark inside of a word, as in "don't", belongs to it.
            alone = kind & CJK and kind & LETTER
            inside = False
            if word_size and (code == 39 or code == 45 or code == 0x2019) and i < end:
                following, _ = character_at(data, i, end)
                other = kind_of(following, kinds)
                inside = other & WORD != 0 and other & CJK == 0
            if (kind & WORD and not alone) or inside:
                small = np.int64(folded[code]) if code < 65536 else code
                word = token(word, U(small))
                word_size += 1
                word_letter |= kind & LETTER != 0
            elif word_size or alone:
                turn = 0 if word_size else 1
                while turn < 2:
                    if turn == 0:
                        value, length = word, word_size
                        words += 1
                        latin += 1
                        latin_size += word_size
                        alphabetic += word_letter
                        gap = 1 if after_latin else 0
                        after_latin = True
                        word, word_size, word_letter = U(0), 0, False
                    else:
                        if not alone:
                            break
                        value, length = token(U(0), U(code)), 1
                        words += 1
                        alphabetic += 1
                        gap = 0
                        after_latin = False
                    place = np.int64(value & U(1023))
                    while stop_keys[place] != U(0):
                        if stop_keys[place] == value:
                            stop = stop_values[place]
                            if stop & 255:
                                english |= 1 << (stop & 255)
                            if (stop >> 8) & 255:
                                chinese |= 1 << ((stop >> 8) & 255)
                            function_words += stop >> 16
                            break
                        place = (place + 1) & 1023
                    if tokens == room_for:
                        shares(hashes, lengths, gaps, tokens, keys, counts, places, slots, grams)
                        tokens, total = 0, U(0)
                    total = total * U(0x9E3779B97F4A7C15) + value
                    tokens += 1
                    hashes[tokens] = total
                    lengths[tokens] = lengths[tokens - 1] + length
                    gaps[tokens] = gaps[tokens - 1] + gap
                    line_words += 1
                    turn += 1
            # Sentences: a mark of Latin script ends one before a blank, a wide one always.
            if kind & SPACE:
                if mark == 1 and since:
                    line_sentences += 1
                    since = 0
                mark = 0
                run = 0
            elif kind & TERMINAL:
                if code < 128:
                    mark = 1
                elif since:
                    line_sentences += 1
                    since = 0
            elif kind & WORD:
                since += 1
                mark = 0
            if i > end:
                code = np.int64(10)
            # Characters.
            if i <= end:
                if kind & SPACE:
                    spaces += 1
                    special += 1
                    dots = 0
                    newlines += code == 10
                    plain += code == 10
                    if not kind & BREAK:
                        line = (line ^ U(code)) * U(0x9FB21C651E98DF25)
                        line_size += 1
                else:
                    if kind & WORD:
                        alphanumeric += 1
                        plain += 1
                        if kind & DIGIT:
                            digits += 1
                            special += 1
                    else:
                        special += kind & (MARK | HIDDEN | BROKEN) != 0
                        broken += kind & BROKEN != 0
                        if code == 35:
                            hashmarks += 1
                        elif code == 0x2026:
                            ellipses += 1
                        elif code == 123 or code == 125:
                            curly += 1
                            brackets += 1
                        brackets += (
                            code == 40 or code == 41 or code == 91 or code == 93 or code == 0xFF08 or code == 0xFF09
                        )
                        brackets += code == 0x3010 or code == 0x3011 or code == 0x3014 or code == 0x3015
                        # NeMo counts these as written text, like letters.
                        plain += code == 46 or code == 44 or code == 33 or code == 63
                        plain += code == 0x3002 or code == 0xFF0C or code == 0xFF01 or code == 0xFF1F
                    dots = dots + 1 if code == 46 else 0
                    if dots == 3:
                        ellipses += 1
                        dots = 0
                    if alone:
                        run = 0
                    else:
                        run += 1
                        longest_run = max(longest_run, run)
                        line_long |= run > 1000
                    line = (line ^ U(code)) * U(0x9FB21C651E98DF25)
                    line ^= line >> U(31)
                    line_size += 1
                    if line_first < 0:
                        # Blanks before the first character do not count.
                        line = U(code) * U(0x9FB21C651E98DF25)
                        line_size = 1
                        line_first = code
                        line_first_kind = kind
                    elif line_second < 0:
                        line_second = code
                    elif line_third < 0:
                        line_third = code
                    line_at_last, line_size_at_last = line, line_size
                    line_dots = line_dots + 1 if code == 46 else 0
                    line_last, line_last_kind = code, kind
                    line_word |= kind & WORD != 0
            if not kind & BREAK:
                continue
            # The line ends.
            if line_first >= 0:
                if since:
                    if mark == 1 or line_last_kind & TERMINAL:
                        line_sentences += 1
                    else:
                        unmarked += 1
                since = 0
                lines += 1
                sentences += line_sentences
                length = line_size_at_last
                line_chars += length
                if length > first_longest:
                    first_longest, second_longest, third_longest = length, first_longest, second_longest
                elif length > second_longest:
                    second_longest, third_longest = length, second_longest
                elif length > third_longest:
                    third_longest = length
                bullets += line_first_kind & BULLET != 0
                ends_open = line_dots >= 3 or line_last == 0x2026
                ellipsis_lines += ends_open
                marked += line_last_kind & TERMINAL != 0
                short += length <= _SHORT_LINE
                boilerplate += line_found & BOILERPLATE != 0
                lorem += line_found & LOREM != 0
                quoted = line_last == 34 or line_last == 39 or line_last == 0x201D or line_last == 0x2019
                ended = (line_last_kind & TERMINAL != 0 or quoted or line_last == 0x300D) and not ends_open
                if ended and line_words >= 3 and not line_long and not line_found & (SCRIPT | POLICY):
                    kept_chars += length
                    kept_sentences += max(1, line_sentences)
                key = mix(line_at_last) | U(1)
                fence = line_first == line_second == line_third and (line_first == 96 or line_first == 126)
                if line_used < line_room:
                    before = line_counts[add(line_keys, line_counts, line_mask, key)]
                    line_used += before == 1
                else:
                    before = 1 + _stood(line_keys, line_mask, key)
                if before > 1:
                    repeated_plain += length
                    if line_word and not fence:
                        repeated += 1
                        repeated_chars += length
                paragraph = (paragraph ^ line_at_last) * U(0x9E3779B97F4A7C15) + U(1)
                paragraph_size += length
                paragraph_found |= line_found
            if paragraph_size and (line_first < 0 or i > end):
                paragraphs += 1
                boilerplate_paragraphs += paragraph_found & (POLICY | BOILERPLATE) != 0
                key = mix(paragraph ^ U(0x5851F42D4C957F2D)) | U(1)
                if line_used < line_room:
                    before = line_counts[add(line_keys, line_counts, line_mask, key)]
                    line_used += before == 1
                else:
                    before = 1 + _stood(line_keys, line_mask, key)
                if before > 1:
                    repeated_paragraphs += 1
                    repeated_paragraph_chars += paragraph_size
                paragraph, paragraph_size, paragraph_found = U(0), 0, 0
            line, line_size = U(0), 0
            line_first = line_second = line_third = line_last = np.int64(-1)
            line_last_kind = np.int64(0)
            line_word = line_long = False
            line_found = line_words = line_sentences = line_dots = 0
        shares(hashes, lengths, gaps, tokens, keys, counts, places, slots, grams)
        num_words, num_lines, num_paragraphs = max(1, words), max(1, lines), max(1, paragraphs)
        o[0] = words
        o[1] = latin_size / max(1, latin)
        o[2] = max(hashmarks, ellipses) / num_words
        o[3] = bullets / num_lines
        o[4] = ellipsis_lines / num_lines
        o[5] = alphabetic / num_words
        stops = 0
        if languages[row] != 1:
            while english:
                stops += english & 1
                english >>= 1
        if languages[row] != 0:
            while chinese:
                stops += chinese & 1
                chinese >>= 1
        o[6] = stops
        o[7] = repeated / num_lines
        o[8] = repeated_chars / chars
        o[9] = repeated_paragraphs / num_paragraphs
        o[10] = repeated_paragraph_chars / chars
        for n in range(2, 11):
            o[9 + n] = min(1.0, grams[n] / chars)
        o[20] = marked / num_lines
        o[21] = short / num_lines
        o[22] = repeated_plain / max(1, chars - newlines)
        o[23] = newlines / num_words
        o[24] = boilerplate / num_lines
        o[25] = longest_run
        o[26] = kept_sentences
        o[27] = kept_chars / max(1, line_chars)
        o[28] = curly
        o[29] = lorem
        o[30] = third_longest
        o[31] = (chars - plain) / chars
        o[32] = digits / chars
        o[33] = min(1.0, url / chars)
        o[34] = spaces / chars
        o[35] = brackets / chars
        o[36] = 1.0 if lorem else boilerplate_paragraphs / num_paragraphs
        o[37] = unmarked / max(1, sentences + unmarked)
        o[38] = alphanumeric / chars
        o[39] = special / chars
        o[40] = function_words / num_words
        o[41] = line_chars / num_lines
        o[42] = first_longest
        o[43] = chars
        o[44] = grams[1] / max(1, grams[0])
        o[45] = broken / chars
        o[46] = distinct / max(1, min(chars, _PREFIX))
        o[47] = 1000 * max(0, spam - 1) / num_words  # one mention is no advertisement


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def _stood(keys, mask, key):  # type: ignore[no-untyped-def]
    """1 where a full table holds the key."""
    place = np.int64(key >> U(20)) & mask
    while keys[place] != U(0) and keys[place] != key:
        place = (place + 1) & mask
    return 1 if keys[place] == key else 0
