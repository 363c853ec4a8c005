"""What comes in: files, tables, archives and addresses, each declared, into documents."""

from __future__ import annotations

import datetime
import os
import re

from septet.core import Config, ConfigError, Externals, Run, field, step
from septet.kinds import Corpus


class Read(Config):
    """Read files, archives or a database into documents, each with where it is from and under which terms."""

    paths: Externals = field(
        (),
        doc="Files or folders: text, Markdown, HTML, XML, PDF, Word, PowerPoint, Excel, CSV, JSON, JSON lines, Parquet, "
        "Arrow, EPUB, mail, WARC, and archives of these; https:// and http:// addresses of pages; or hub:org/name. Other "
        "types are rejected by name.",
    )
    only: tuple[str, ...] = field(
        (), "Of folders, read only the files of these names, seen from the folder; empty: all."
    )
    licence: str = field(
        doc="The licence of the source, as an SPDX name or in words. A source without one is refused; 'unknown' is an answer."
    )
    origin: str = field(doc="public, commercial or private.", choices=("public", "commercial", "private"))
    dataset: str = field(
        "", "The name of the source, as mixtures and reports call it; empty: the folder's or file's name."
    )
    obtained: str = field("given by the owner", "How the source was had.")
    owner: str = field("", "Who answers for the source.")
    access: str = field(
        "internal", "The access class of the source, one word; it follows each row to chunk, cache and answer."
    )
    retrieved: str = field(
        "", "The day on which the source was had, as 2026-11-24, or the second. A query and an address need it."
    )
    consent: str = field("", "On which ground personal data in the source may be used, such as contract or consent.")
    trust: float = field(
        1.0, "How far the source is trusted; of two copies the one of the more trusted is kept.", ge=0, le=1
    )
    text_columns: tuple[str, ...] = field(
        (),
        "Which columns of a table or of JSON make the text; empty: text, content, body or 正文, 内容, else all columns as "
        "name: value lines.",
    )
    id_column: str = field("", "The column that holds a record's own id; it is said in the row's place.")
    licence_column: str = field("", "The column that holds a record's own licence; a record without one is rejected.")
    source_column: str = field("", "The column that holds a record's own source or address; one without is rejected.")
    ocr: bool = field(False, "Read scanned pages and pictures by OCR (Chinese and English); else they are rejected.")
    ocr_confidence: float = field(0.7, "A page that OCR reads with less confidence is rejected.", ge=0, le=1)
    query: str = field(
        "", "A SELECT, for rows of a database (SQLite or PostgreSQL); with ORDER BY, so that rows keep places."
    )
    url_variable: str = field(
        "", "The environment variable that holds the address of the database, so that no recipe does."
    )

    def counts(self, name: str) -> bool:
        return not self.only or name in self.only


@step("data.read", version=2)
def read(config: Read, run: Run) -> Corpus:
    """Read files into documents, each with its source, span, licence and access class; reject by name what is unreadable."""
    from septet.data import sources
    from septet.data.readers import sql
    from septet.data.readers.row import Told

    _declared(config)
    if config.query:
        sql.check(config.query)
    told = Told(
        text_columns=config.text_columns,
        id_column=config.id_column,
        licence_column=config.licence_column,
        source_column=config.source_column,
        ocr=config.ocr,
        ocr_confidence=config.ocr_confidence,
    )
    columns = {
        name: getattr(config, name)
        for name in ("licence", "origin", "dataset", "obtained", "owner", "access", "retrieved", "consent", "trust")
    }
    sources.read(config.paths, run, told, columns, config.query, config.url_variable, config.only)
    return Corpus(run.out)


def _declared(config: Read) -> None:
    """Raises ConfigError for a declaration that is missing or of no readable form."""
    if not config.licence.strip():
        raise ConfigError(
            "Read.licence is empty", "Say under which licence the files may be used; 'unknown' is an answer"
        )
    if not config.paths and not config.query:
        raise ConfigError("Read names neither paths nor a query", "Say what to read: paths = [...]")
    if bool(config.query) != bool(config.url_variable):
        raise ConfigError(
            "Read.query and Read.url_variable belong together", "Give both: which rows, and where the address stands"
        )
    if config.url_variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", config.url_variable):
        raise ConfigError(
            "Read.url_variable is not the name of an environment variable",
            "Put the address into a variable, and the variable's name here",
        )
    if config.url_variable and not os.environ.get(config.url_variable):
        raise ConfigError(
            f"the environment variable {config.url_variable} is empty",
            "Set it to the address of the database, as postgresql://user:secret@host/name",
        )
    addresses = [path for path in config.paths if path.startswith(("http:", "https:"))]
    if (config.query or addresses) and not config.retrieved:
        raise ConfigError(
            f"Read.retrieved is empty, and a {'database' if config.query else 'page'} changes",
            "Say the day; another day is another result, and the same day is not read twice",
        )
    if config.retrieved:
        try:
            kind = datetime.datetime if "T" in config.retrieved else datetime.date
            if kind.fromisoformat(config.retrieved).isoformat() != config.retrieved:
                raise ValueError
        except ValueError:
            raise ConfigError(f"Read.retrieved is '{config.retrieved}'", "Write the day as 2026-11-24") from None
    if not re.fullmatch(r"[^\s,;]{1,64}", config.access):
        raise ConfigError(
            f"Read.access is '{config.access}'", "An access class is one word, such as public or internal"
        )
    for name in ("licence", "dataset", "obtained", "owner", "consent"):
        value = getattr(config, name)
        if len(value) > 500 or not value.isprintable():
            raise ConfigError(f"Read.{name} is longer than a line", "Say it in one line of at most 500 characters")
