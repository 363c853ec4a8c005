"""The value of a mathematical expression, without ever running it: a small parser for numbers, letters, + - * / ^ ! and functions.

Numbers are exact fractions as long as that is possible. A letter is a variable and takes a value from `at`, so that two expressions
can be compared at a few points. Lengths, powers and depths are bounded: an expression comes from a model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

Value = Fraction | float
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|sqrt|sin|cos|tan|cot|sec|csc|log|ln|exp|abs|pi|inf|[a-zA-Z]|[-+*/^!()])")
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "cot": lambda x: 1 / math.tan(x),
    "sec": lambda x: 1 / math.cos(x),
    "csc": lambda x: 1 / math.sin(x),
    "log": math.log10,
    "ln": math.log,
    "exp": math.exp,
    "abs": abs,
}
_LONGEST, _DEEPEST, _LARGEST_BITS = 400, 40, 4096


def value(text: str, at: Mapping[str, Value] | None = None) -> Value | None:
    """What an expression comes to; None where it is none, has a letter that `at` lacks, or comes to no real number."""
    if len(text) > _LONGEST:
        return None
    words, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        words.append(match[1])
        place = match.end()
    if not words:
        return None
    try:
        parser = _Parser(words, at or {})
        found = parser.sum(0)
        return found if parser.place == len(words) and not _broken(found) else None
    except (_NoExpression, ZeroDivisionError, OverflowError, ValueError):
        return None


def letters(text: str) -> set[str]:
    """The variables of an expression."""
    return {word for word in _TOKEN.findall(text) if len(word) == 1 and word.isalpha() and word != "e"}


class _NoExpression(Exception):
    pass


def _broken(number: Value) -> bool:
    return isinstance(number, complex) or (isinstance(number, float) and math.isnan(number))


class _Parser:
    def __init__(self, words: list[str], at: Mapping[str, Value]) -> None:
        self.words, self.at, self.place = words, at, 0

    def next(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        if self.next() in wanted:
            self.place += 1
            return self.words[self.place - 1]
        return ""

    def sum(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise _NoExpression
        total = self.product(depth)
        while sign := self.take("+", "-"):
            other = self.product(depth)
            total = _small(total + other if sign == "+" else total - other)
        return total

    def product(self, depth: int) -> Value:
        total = self.signed(depth)
        while True:
            if sign := self.take("*", "/"):
                other = self.signed(depth)
                total = _small(total * other if sign == "*" else total / other)
            elif self.next() and self.next() not in "+-)!^":
                # A number straight after something is no factor of it.
                if self.next()[0].isdigit() or self.next()[0] == ".":
                    raise _NoExpression
                total = _small(total * self.power(depth))
            else:
                return total

    def signed(self, depth: int) -> Value:
        if sign := self.take("-", "+"):
            if depth > _DEEPEST:
                raise _NoExpression
            found = self.signed(depth + 1)
            return -found if sign == "-" else found
        return self.power(depth)

    def power(self, depth: int) -> Value:
        base = self.atom(depth)
        while self.take("!"):
            if not isinstance(base, Fraction) or base.denominator != 1 or not 0 <= base <= 170:
                raise _NoExpression
            base = Fraction(math.factorial(int(base)))
        if self.take("^"):
            if depth > _DEEPEST:
                raise _NoExpression
            return _raised(base, self.signed(depth + 1))
        return base

    def atom(self, depth: int) -> Value:
        word = self.next()
        self.place += 1
        if word == "(":
            found = self.sum(depth + 1)
            if not self.take(")"):
                raise _NoExpression
            return found
        if word == "sqrt":
            return _raised(self.atom(depth + 1) if depth < _DEEPEST else Fraction(-1), Fraction(1, 2))
        if word in _FUNCTIONS:
            argument = self.power(depth + 1) if depth < _DEEPEST else Fraction(0)
            return float(_FUNCTIONS[word](float(argument)))
        if word == "pi":
            return math.pi
        if word == "inf":
            return math.inf
        if word and (word[0].isdigit() or word[0] == "."):
            return Fraction(word)
        if word in self.at:
            return self.at[word]
        if word == "e":
            return math.e
        raise _NoExpression


def _small(number: Value) -> Value:
    if isinstance(number, Fraction) and number.numerator.bit_length() + number.denominator.bit_length() > _LARGEST_BITS:
        return float(number)
    return number


def _raised(base: Value, power: Value) -> Value:
    if isinstance(base, Fraction) and isinstance(power, Fraction):
        if power.denominator == 1 and abs(power) <= 512 and base.numerator.bit_length() * abs(power) <= _LARGEST_BITS:
            if base == 0 and power < 0:
                raise _NoExpression
            return Fraction(base ** int(power))
        if power == Fraction(1, 2) and base >= 0:
            over, under = math.isqrt(base.numerator), math.isqrt(base.denominator)
            if over * over == base.numerator and under * under == base.denominator:
                return Fraction(over, under)
    if base < 0 and not float(power).is_integer():
        raise _NoExpression
    return math.pow(float(base), float(power))


def equal(one: Value, two: Value) -> bool:
    """Exactly, where both are exact; else within one part in a thousand million."""
    if isinstance(one, Fraction) and isinstance(two, Fraction):
        return one == two
    return math.isclose(float(one), float(two), rel_tol=1e-9, abs_tol=1e-12)
