"""What the pass over quality signals looks for: its columns, phrases of boilerplate and spam, stop words, as tables."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from septet.kernels.characters import characters
from septet.kernels.phrases import automaton
from septet.kernels.words import U

# The columns, in the order of the code below.
NAMES = (
    "gopher.words",
    "gopher.word_length",
    "gopher.symbols",
    "gopher.bullet_lines",
    "gopher.ellipsis_lines",
    "gopher.alphabetic_words",
    "gopher.stop_words",
    "gopher.duplicate_lines",
    "gopher.duplicate_line_characters",
    "gopher.duplicate_paragraphs",
    "gopher.duplicate_paragraph_characters",
    "gopher.top_2gram",
    "gopher.top_3gram",
    "gopher.top_4gram",
    "gopher.duplicate_5gram",
    "gopher.duplicate_6gram",
    "gopher.duplicate_7gram",
    "gopher.duplicate_8gram",
    "gopher.duplicate_9gram",
    "gopher.duplicate_10gram",
    "fineweb.line_punctuation",
    "fineweb.short_lines",
    "fineweb.duplicate_line_characters",
    "fineweb.newlines",
    "c4.boilerplate_lines",
    "c4.longest_word",
    "c4.sentences",
    "c4.kept_characters",
    "c4.curly_brackets",
    "c4.lorem_ipsum",
    "c4.third_longest_line",
    "nemo.non_alphanumeric",
    "nemo.digits",
    "nemo.url_characters",
    "nemo.white_space",
    "nemo.brackets",
    "nemo.boilerplate_paragraphs",
    "nemo.unmarked_sentences",
    "juicer.alphanumeric",
    "juicer.special_characters",
    "juicer.stop_words",
    "juicer.mean_line",
    "juicer.longest_line",
    "juicer.characters",
    "juicer.word_repetition",
    "septet.broken_characters",
    "septet.distinct_characters",
    "septet.spam_phrases",
)
BOILERPLATE, LOREM, SCRIPT, POLICY, HTTP, HTTPS, WWW, SPAM = 1, 2, 4, 8, 16, 32, 64, 128
_PHRASES = {
    BOILERPLATE: (
        "javascript cookie lorem_ipsum privacy_policy terms_of_use all_rights_reserved 登录后 请先登录 版权所有 点击这里 扫码关注"
    ),
    LOREM: "lorem_ipsum",
    SCRIPT: "javascript",
    POLICY: "terms_of_use privacy_policy cookie_policy uses_cookies use_of_cookies use_cookies",
    HTTP: "http://",
    HTTPS: "https://",
    WWW: "www.",
    # What advertisers of gambling, pills, pornography and fraud write, and who writes about them seldom does.
    SPAM: (
        "娱乐城 现金网 百家乐 真人荷官 真人娱乐 老虎机 时时彩 北京赛车 六合彩 幸运飞艇 "
        "博彩网 博彩公司 足彩推荐 棋牌游戏下载 棋牌官网 体育app 体育官网 彩票平台 彩票计划 贵宾会 娱乐平台 娱乐官网 "
        "在线投注 投注网 注册送 开户送 首存 送彩金 手机版登录 登录器下载 官网登录 一夜情 裸聊 成人视频 激情视频 代开发票 办证刻章 "
        "账号购买 刷单兼职 日赚 月入过万 稳赚 加微信 加qq 私服发布 外围女 "
        "casino_bonus online_casino slot_machines free_spins poker_online viagra cialis levitra online_pharmacy "
        "no_prescription weight_loss_pills payday_loan replica_watches penis_enlargement hot_singles xxx_video free_porn "
        "make_money_fast work_from_home_and_earn double_your_income act_now click_below 100%_free risk-free risk_free_offer "
        "this_is_not_spam remove_from_our_list to_be_removed lottery_winner million_dollars_in"
    ),
}
# Of Gopher, for English; for Chinese the commonest function characters, in both scripts.
_STOPS = ("the be to of and that have with", "的一是在不了有和人这中大为上个国我以要他时来用们這為個國時來們")
# Function words of English, of which ordinary prose has about half (Fox 1989, "A stop list for general text", shortened).
_FUNCTION_WORDS = (
    "a about above after again against all also am an and any are as at be because been before being below between both but "
    "by can cannot could did do does doing down during each few for from further had has have having he her here hers him "
    "himself his how i if in into is it its itself just me more most my no nor not now of off on once only or other our ours "
    "out over own same shall she should so some such than that the their theirs them then there these they this those through "
    "to too under until up upon us very was we were what when where which while who whom why will with would you your yours"
)


class Tables(NamedTuple):
    """What the pass looks things up in: characters, phrases, and the hashes of stop words."""

    kinds: Any
    folded: Any
    step: Any
    found: Any
    stop_keys: Any
    stop_values: Any


@cache
def tables() -> Tables:
    """Made once a process."""
    table = characters()
    phrases = automaton({bit: [one.replace("_", " ") for one in text.split()] for bit, text in _PHRASES.items()})
    keys, values = np.zeros(1024, np.uint64), np.zeros(1024, np.int64)
    # A value: the number of the stop word of Gopher's English list, of the Chinese list, and whether it is a function word.
    stops: dict[str, int] = dict.fromkeys(_FUNCTION_WORDS.split(), 1 << 16)
    for number, word in enumerate(_STOPS[0].split(), 1):
        stops[word] = stops.get(word, 0) | number
    for number, word in enumerate(_STOPS[1], 1):
        stops[word] = number << 8
    for word, value in stops.items():
        key = _hash_of(word)
        place = key & 1023
        while keys[place]:
            place = (place + 1) & 1023
        keys[place], values[place] = key, value
    return Tables(table.kinds, table.folded, phrases.step, phrases.found, keys, values)


def _hash_of(word: str) -> int:
    value = 0
    for character in word:
        value = int(token(np.uint64(value), np.uint64(ord(character)))) & 0xFFFFFFFFFFFFFFFF
    return value


@njit(cache=True, inline="always")  # type: ignore[untyped-decorator]
def token(before, code):  # type: ignore[no-untyped-def]
    """The running hash of the characters of a word."""
    return (before ^ (code + U(1))) * U(0x9FB21C651E98DF25) ^ (before >> U(29))
