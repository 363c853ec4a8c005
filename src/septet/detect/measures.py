"""The names of the quality signals, what each is, and the form of a limit. How they are measured: `quality`."""

from __future__ import annotations

from septet.core.config import Config, field

SEGMENTED = {
    "segmented.words": "words of a segmenter, marks not counted",
    "segmented.word_length": "mean length of the words of a segmenter, in characters",
    "segmented.alphabetic_words": "share of the words of a segmenter, marks included, with a letter",
    "segmented.stop_words": "different stop words among the words of a segmenter",
    "segmented.newlines": "line ends per word of a segmenter",
    "segmented.top_2gram": "share of characters in the commonest 2-gram of segmented words",
    "segmented.top_3gram": "share of characters in the commonest 3-gram of segmented words",
    "segmented.top_4gram": "share of characters in the commonest 4-gram of segmented words",
    "segmented.duplicate_5gram": "share of characters in 5-grams of segmented words that stood before",
    "segmented.duplicate_6gram": "share of characters in 6-grams of segmented words that stood before",
    "segmented.duplicate_7gram": "share of characters in 7-grams of segmented words that stood before",
    "segmented.duplicate_8gram": "share of characters in 8-grams of segmented words that stood before",
    "segmented.duplicate_9gram": "share of characters in 9-grams of segmented words that stood before",
    "segmented.duplicate_10gram": "share of characters in 10-grams of segmented words that stood before",
}
REPETITION = "juicer.character_repetition"
# measure -> what it is; the keys of the policy's [quality.<language>] tables. In the order of the compiled pass.
MEASURES = {
    "gopher.words": "words (Chinese: characters)",
    "gopher.word_length": "mean length of the words that are not Chinese, in characters",
    "gopher.symbols": "'#' per word, or ellipses per word, whichever is more",
    "gopher.bullet_lines": "share of lines that begin with a bullet",
    "gopher.ellipsis_lines": "share of lines that end with an ellipsis",
    "gopher.alphabetic_words": "share of words with a letter",
    "gopher.stop_words": "different stop words of the language",
    "gopher.duplicate_lines": "share of lines that stood before",
    "gopher.duplicate_line_characters": "share of characters in lines that stood before",
    "gopher.duplicate_paragraphs": "share of paragraphs that stood before",
    "gopher.duplicate_paragraph_characters": "share of characters in paragraphs that stood before",
    "gopher.top_2gram": "share of characters in the commonest 2-gram of words",
    "gopher.top_3gram": "share of characters in the commonest 3-gram of words",
    "gopher.top_4gram": "share of characters in the commonest 4-gram of words",
    "gopher.duplicate_5gram": "share of characters in word 5-grams that stood before",
    "gopher.duplicate_6gram": "share of characters in word 6-grams that stood before",
    "gopher.duplicate_7gram": "share of characters in word 7-grams that stood before",
    "gopher.duplicate_8gram": "share of characters in word 8-grams that stood before",
    "gopher.duplicate_9gram": "share of characters in word 9-grams that stood before",
    "gopher.duplicate_10gram": "share of characters in word 10-grams that stood before",
    "fineweb.line_punctuation": "share of lines that end with a mark that ends sentences",
    "fineweb.short_lines": "share of lines of at most 30 characters",
    "fineweb.duplicate_line_characters": "share of characters in lines that stood before, line ends and markup counted",
    "fineweb.newlines": "line ends per word",
    "c4.boilerplate_lines": "share of lines that name cookies, scripts, logins or rights",
    "c4.longest_word": "length of the longest run of characters without a blank that are not Chinese",
    "c4.sentences": "sentences in the lines that C4 keeps",
    "c4.kept_characters": "share of characters in lines that C4 keeps",
    "c4.curly_brackets": "curly brackets",
    "c4.lorem_ipsum": "lines with 'lorem ipsum'",
    "c4.third_longest_line": "length of the third longest line, in characters",
    "nemo.non_alphanumeric": "share of characters that are neither letter, digit, line end nor a mark of a sentence",
    "nemo.digits": "share of characters that are digits",
    "nemo.url_characters": "share of characters in addresses",
    "nemo.white_space": "share of characters that are white space",
    "nemo.brackets": "share of characters that are brackets",
    "nemo.boilerplate_paragraphs": "share of paragraphs with boilerplate; 1 with 'lorem ipsum'",
    "nemo.unmarked_sentences": "share of sentences that end without a mark",
    "juicer.alphanumeric": "share of characters that are letters or digits",
    "juicer.special_characters": "share of characters that are marks, digits or white space",
    "juicer.stop_words": "share of words that are English function words",
    "juicer.mean_line": "mean length of a line, in characters",
    "juicer.longest_line": "length of the longest line, in characters",
    "juicer.characters": "characters",
    "juicer.word_repetition": "share of word 10-grams that stand more than once",
    "septet.broken_characters": "share of replacement, private-use and control characters",
    "septet.distinct_characters": "different characters per character, over at most 400 characters",
    "septet.spam_phrases": "phrases of advertisers of gambling, pills and fraud, but for the first, per thousand words",
    **SEGMENTED,
    REPETITION: "share of 10-grams of characters that are among the commonest ones",
}
AMOUNTS = frozenset(
    (
        "gopher.words",
        "gopher.stop_words",
        "c4.longest_word",
        "c4.sentences",
        "c4.curly_brackets",
        "c4.lorem_ipsum",
        "c4.third_longest_line",
        "juicer.longest_line",
        "juicer.characters",
        "segmented.words",
        "segmented.stop_words",
    )
)
"""Measures of the whole of a mixed document; the others are shares or means, and its parts have their own."""
OF_LANGUAGE = frozenset(("gopher.stop_words", "juicer.stop_words", "segmented.stop_words"))
"""Measures that mean nothing in a language that they were not made for."""


class Limit(Config):
    """The range of one measure; outside of it a document is dropped under the measure's name."""

    at_least: float | None = field(None, "Lowest value kept.")
    at_most: float | None = field(None, "Highest value kept.")
