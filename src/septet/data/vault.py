"""The vault: which pseudonym stands for which value, readable with the key alone.

`vault.bin` holds one record per pseudonym, each encrypted with AES-256-GCM (NIST SP 800-38D) under a key derived with HKDF
(RFC 5869) from the key file; a record is found by an HMAC of its pseudonym, so that a single value can be revealed without
the others, and the file shows nothing but how many there are. `vault.json` names the algorithm and holds a check value, so
that a wrong key is told from an unknown pseudonym.

Layout of `vault.bin`: for each record, sorted by tag: tag (16 bytes), nonce (12), length (4, big-endian), ciphertext.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from septet.core import ConfigError, MissingExtra, Run
from septet.data.privacy import finder, read_key
from septet.detect import actions
from septet.detect import policy as policies
from septet.detect.normalise import normalise
from septet.files import read_json, write_json
from septet.kinds import Corpus, Policy, Vault

_VERSION = 1
_MOST_DRAWS = 64


class Entry(msgspec.Struct, frozen=True):
    """One value: its kind, and how it was written where it was met first."""

    kind: str
    value: str
    pseudonym: str


def build(corpus: Corpus, policy: Policy, key_file: Path, run: Run) -> Vault:
    """Write the vault of an unmasked corpus: all values of kinds that the policy pseudonymises.

    Where two values draw one surrogate, the later takes its next draw, and the vault notes that under a keyed digest: `data.mask`
    must be given the vault to draw the same. Raises ConfigError where no kind is pseudonymised.
    """
    rules = policies.load(policy.path)
    secret = read_key(key_file)
    named = {kind for kind, action in rules.pii.actions.items() if action == "pseudonymise"}
    if not named and rules.pii.default != "pseudonymise":
        raise ConfigError(f"the policy {rules.name} pseudonymises no kind", "Set [pii.actions] mobile = 'pseudonymise'")
    entries: dict[str, Entry] = {}
    drawn: dict[str, int] = {}
    again: dict[str, int] = {}
    for kind, value in _values(corpus, rules, run, corpus.count()):
        digest = actions.digest_of(value, kind, secret)
        if digest in drawn:
            continue
        for attempt in range(_MOST_DRAWS):
            pseudonym = actions.surrogate(value, kind, secret, attempt)
            known = entries.get(_canonical(pseudonym))
            if known is None:
                break
        else:
            raise ConfigError(
                f"no free pseudonym was found for a value of kind '{kind}'",
                "There are more values than surrogates of this form: use the action `hash` for this kind",
            )
        entries[_canonical(pseudonym)] = Entry(kind, value, pseudonym)
        drawn[digest] = attempt
        if attempt:
            again[digest] = attempt
    write(run.out, entries.values(), secret, again)
    run.note(f"{len(entries)} pseudonyms, {len(again)} of them drawn again")
    return Vault(run.out)


def draws(vault: Vault | None) -> dict[str, int]:
    """Keyed digest of a value to which draw is its surrogate, where that is not the first."""
    return dict(read_json(vault.path / "vault.json")["again"]) if vault is not None else {}


def _values(corpus: Corpus, rules: policies.Policy, run: Run, total: int) -> Iterator[tuple[str, str]]:
    find = finder(rules)
    rows = 0
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(2048, columns=["text"]):
            column = batch.column(0)
            for row, spans in find(column).items():
                text = column[row].as_py()
                for span in spans:
                    if rules.pii.actions.get(span.kind, rules.pii.default) == "pseudonymise":
                        yield span.kind, span.of(text)
            rows += batch.num_rows
            run.progress(rows, total, "documents")


def _canonical(value: str) -> str:
    return "".join(c for c in normalise(value).text if c.isalnum() or c in "@.")


def write(out: Path, entries: Iterable[Entry], secret: bytes, again: Mapping[str, int]) -> None:
    """Write `vault.bin` and `vault.json`."""
    aead = _cipher()
    salt = hashlib.sha256(b"septet.vault\0" + _derive(secret, b"", b"salt")).digest()[:16]
    key, index = _derive(secret, salt, b"values"), _derive(secret, salt, b"index")
    cipher = aead(key)
    records = []
    for entry in entries:
        tag = _tag(index, entry.pseudonym)
        # A nonce may not come twice under one key. It is made of the record itself, so that the same vault has the same bytes.
        plain = msgspec.json.encode(entry)
        nonce = hmac.new(index, b"nonce\0" + plain, hashlib.sha256).digest()[:12]
        records.append((tag, nonce, cipher.encrypt(nonce, plain, tag)))
    with (out / "vault.bin").open("wb") as file:
        for tag, nonce, sealed in sorted(records):
            file.write(tag + nonce + len(sealed).to_bytes(4, "big") + sealed)
    (out / "vault.bin").chmod(0o600)
    write_json(
        out / "vault.json",
        {
            "version": _VERSION,
            "cipher": "AES-256-GCM",
            "derivation": "HKDF-SHA256",
            "salt": salt.hex(),
            "check": _tag(index, "septet.vault.check").hex(),
            "records": len(records),
            "again": dict(again),
        },
    )


def reveal(vault: Vault, key: bytes | Path, pseudonym: str) -> Entry | None:
    """The value behind a pseudonym; None where the vault has none. Raises ConfigError for a wrong key and a damaged vault."""
    secret = read_key(key) if isinstance(key, Path) else key
    about = read_json(vault.path / "vault.json")
    index = _derive(secret, bytes.fromhex(about["salt"]), b"index")
    if not hmac.compare_digest(_tag(index, "septet.vault.check").hex(), about["check"]):
        raise ConfigError("the key does not open this vault", "Use the key file that the corpus was masked with")
    wanted = _tag(index, pseudonym)
    cipher = _cipher()(_derive(secret, bytes.fromhex(about["salt"]), b"values"))
    for tag, nonce, sealed in _records((vault.path / "vault.bin").read_bytes()):
        if tag == wanted:
            return _opened(cipher, tag, nonce, sealed)
    return None


def _records(raw: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at + 28 : at + 32], "big")
        yield raw[at : at + 16], raw[at + 16 : at + 28], raw[at + 32 : at + 32 + size]
        at += 32 + size


def _opened(cipher: Any, tag: bytes, nonce: bytes, sealed: bytes) -> Entry:
    from cryptography.exceptions import InvalidTag

    try:
        plain = cipher.decrypt(nonce, sealed, tag)
    except InvalidTag:
        raise ConfigError("the vault is damaged: a record does not open", "Take it from the backup") from None
    return msgspec.json.decode(plain, type=Entry)


def _tag(index: bytes, pseudonym: str) -> bytes:
    return hmac.new(index, _canonical(pseudonym).encode(), hashlib.sha256).digest()[:16]


def _derive(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError:
        raise MissingExtra("cryptography", "sign") from None
    return bytes(HKDF(SHA256(), 32, salt or None, b"septet.vault.1." + purpose).derive(secret))


def _cipher() -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra("cryptography", "sign") from None
    return AESGCM
