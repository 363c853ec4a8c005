"""Identity: what changes a fingerprint, and what must not."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from septet.core import Config, ConfigError, External, field
from septet.core.fingerprint import (
    ContentHasher,
    canonical,
    digest,
    digest_tree,
    fingerprint,
    identity_of,
    short,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Reads(Config):
    file: External = field(doc="A file.")
    share: float = field(0.5, "A share.")


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_the_order_of_keys_does_not_count(values):
    turned = dict(reversed(list(values.items())))
    assert canonical(values) == canonical(turned)


@given(st.dictionaries(st.text(min_size=1), VALUES, min_size=1, max_size=5), st.data())
def test_every_value_counts(values, data):
    key = data.draw(st.sampled_from(sorted(values)))
    changed = {**values, key: [values[key]]}
    assert fingerprint("s", 1, values, {}) != fingerprint("s", 1, changed, {})


def test_step_version_inputs_and_their_places_count():
    base = fingerprint("a.b", 1, {}, {"x": "sha256:1", "y": "sha256:2"})
    assert base != fingerprint("a.c", 1, {}, {"x": "sha256:1", "y": "sha256:2"})
    assert base != fingerprint("a.b", 2, {}, {"x": "sha256:1", "y": "sha256:2"})
    assert base != fingerprint("a.b", 1, {}, {"x": "sha256:2", "y": "sha256:1"})
    assert base != fingerprint("a.b", 1, {}, {"x": "sha256:1"})


def test_outside_files_count_by_content_and_not_by_path(tmp_path):
    one, other = tmp_path / "one", tmp_path / "else" / "other"
    one.mkdir()
    (one / "a.txt").write_text("same")
    shutil.copytree(one, other)
    hasher = ContentHasher()
    first = identity_of(Reads(file=External(str(one))), hasher)
    assert first == identity_of(Reads(file=External(str(other))), hasher)
    assert str(tmp_path) not in str(first)
    (other / "a.txt").write_text("SAME")
    assert first != identity_of(Reads(file=External(str(other))), ContentHasher())
    (one / ".git").mkdir()
    (one / ".git" / "x").write_text("hidden files are no part of a folder")
    assert first == identity_of(Reads(file=External(str(one))), ContentHasher())
    (one / "a.txt").rename(one / "b.txt")
    assert first != identity_of(Reads(file=External(str(one))), ContentHasher())


def test_the_memory_of_digests_follows_changes(tmp_path):
    file, memory = tmp_path / "f", tmp_path / "cache" / "memory.json"
    file.write_text("one")
    hasher = ContentHasher(memory)
    before = hasher.path(file)
    hasher.keep()
    assert ContentHasher(memory).path(file) == before
    file.write_text("two!")
    assert ContentHasher(memory).path(file) == digest(b"two!")
    memory.write_text("{broken")
    assert ContentHasher(memory).path(file) == digest(b"two!")


def test_digests_name_their_algorithm():
    assert digest(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
    if "sm3" in hashlib.algorithms_available:
        assert digest(b"x", "sm3").startswith("sm3:")
        assert digest_tree({"a": "b"}, "sm3").startswith("sm3:")
    with pytest.raises(ConfigError, match="unknown digest algorithm 'md5'"):
        digest(b"x", "md5")
    assert short(digest(b"x")) == hashlib.sha256(b"x").hexdigest()[:12]
