"""What comes in: files, tables, archives and addresses, each declared, into documents."""

from __future__ import annotations

from septet.core import Config, ConfigError, Externals, Run, StepFailed, field, step
from septet.kinds import Corpus


class Read(Config):
    """Read files into documents, each with where it is from."""

    paths: Externals = field(doc="Files or folders: Markdown, text, HTML, DOCX, PDF. Other types are rejected by name.")
    licence: str = field(
        doc="The licence of these files, as an SPDX name or in words. A source without one is refused."
    )
    origin: str = field("private", "public, commercial or private.", choices=("public", "commercial", "private"))
    obtained: str = field("given by the owner", "How the files were had.")
    owner: str = field("", "Who answers for the source.")
    access: str = field("internal", "The access class of the source; it follows each row to chunk, cache and answer.")
    retrieved: str = field("", "The day on which the files were had, as 2026-11-24.")


@step("data.read", version=1)
def read(config: Read, run: Run) -> Corpus:
    """Read files into documents, each with its source, span, licence and access class; reject by name what is unreadable."""
    from septet.data import sources
    from septet.detect.language import language

    if not config.licence.strip():
        raise ConfigError(
            "Read.licence is empty", "Say under which licence the files may be used; 'unknown' is an answer"
        )
    rows, rejected = [], []
    for number, (name, mark, parsed, reason) in enumerate(sources.documents(config.paths), 1):
        if parsed is None:
            rejected.append({"source": name, "where": "", "reason": reason})
            continue
        rejected += [{"source": name, "where": where, "reason": why} for where, why in parsed.rejected]
        for piece in parsed.pieces:
            if piece.text.strip():
                rows.append(
                    {
                        "id": sources.row_id(name, piece.start, piece.end, mark),
                        "text": piece.text,
                        "title": parsed.title,
                        "source": name,
                        "source_digest": mark,
                        "start": piece.start,
                        "end": piece.end,
                        "page": piece.page,
                        "language": language(piece.text),
                        "licence": config.licence,
                        "origin": config.origin,
                        "owner": config.owner,
                        "access": config.access,
                        "retrieved": config.retrieved,
                        "transforms": ["data.read"],
                        "edits": "",
                    }
                )
        run.progress(number, 0, "files")
    run.drop("unreadable", len(rejected), "rejected.jsonl")
    if not rows:
        reasons = "; ".join(f"{one['source']}: {one['reason']}" for one in rejected[:3]) or "there are no files"
        raise StepFailed(
            f"no document could be read from {', '.join(config.paths)} ({reasons})",
            "Name a folder of Markdown, text, HTML, DOCX or PDF files",
        )
    return Corpus.write(run.out, rows, rejected=rejected)
