"""The peers' side of `data.py`: run by the peer's own interpreter, as its documentation shows, with nothing of Septet in it.

PEER_PYTHON peer_jobs.py JOB INPUT OUT LANGUAGE     prints {"cpu": seconds of the job without imports, "documents": n}
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def datatrove(job: str, source: str, out: str, language: str) -> float:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
        SentenceDedupFilter,
        SentenceDedupSignature,
        SentenceFindDedups,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.dedup.sentence_dedup import SentDedupConfig
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.hashing import HashConfig
    from datatrove.utils.typeshelper import Languages

    code = Languages.english if language == "en" else "zho_Hani"

    def read():
        return ParquetReader(source, glob_pattern="*.parquet")

    def write():
        return ParquetWriter(f"{out}/kept")

    def run(number: int, tasks: int, *pipeline: object) -> None:
        LocalPipelineExecutor(pipeline=list(pipeline), tasks=tasks, workers=1, logging_dir=f"{out}/log{number}").run()

    began = time.process_time()
    if job == "neardup":
        config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8)
        run(1, 1, read(), MinhashDedupSignature(f"{out}/sig", config=config, language=code))
        run(2, 14, MinhashDedupBuckets(f"{out}/sig", f"{out}/buckets", config=config))
        run(3, 1, MinhashDedupCluster(f"{out}/buckets", f"{out}/remove", config=config))
        run(4, 1, read(), MinhashDedupFilter(f"{out}/remove"), write())
    elif job == "filters":
        run(
            1,
            1,
            read(),
            GopherRepetitionFilter(language=code),
            GopherQualityFilter(language=code),
            C4QualityFilter(filter_no_terminal_punct=False, language=code),
            FineWebQualityFilter(language=code),
            write(),
        )
    elif job == "sentences":
        config = SentDedupConfig(n_sentences=3, split_sentences=False, only_dedup_in_index=True, min_doc_words=0)
        run(1, 1, read(), SentenceDedupSignature(f"{out}/sig", config=config, finder_workers=1, language=code))
        run(2, 1, SentenceFindDedups(f"{out}/sig", f"{out}/dups", config=config))
        run(3, 1, read(), SentenceDedupFilter(f"{out}/dups", config=config, language=code), write())
    return time.process_time() - began


def presidio(job: str, source: str, out: str, language: str) -> float:
    """The analyser with a blank pipeline: its pattern recognisers alone, without named entities."""
    del job, language
    import pyarrow.parquet as pq
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    model = tempfile.mkdtemp()
    spacy.blank("en").to_disk(model)
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    ).create_engine()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(nlp_engine=engine, languages=["en"])
    analyzer = AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["en"])
    analyzer.analyze("warm up 192.0.2.4", language="en")
    texts = [
        text for part in sorted(Path(source).glob("*.parquet")) for text in pq.read_table(part)["text"].to_pylist()
    ]
    began = time.process_time()
    found = [len(analyzer.analyze(text, language="en", score_threshold=0.4)) for text in texts]
    spent = time.process_time() - began
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / "found.json").write_text(json.dumps(found), "utf-8")
    return spent


def data_juicer(job: str, source: str, out: str, language: str) -> float:
    del job
    cut = "space" if language == "en" else "character"
    config = Path(out) / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    lines = sorted(Path(source).glob("*.jsonl"))
    config.write_text(
        f"project_name: b\ndataset_path: {lines[0]}\nexport_path: {out}/out.jsonl\nnp: 1\ntext_keys: text\n"
        "open_tracer: false\nuse_cache: false\nop_fusion: false\nprocess:\n"
        f"  - document_minhash_deduplicator: {{tokenization: {cut}, window_size: 5, num_permutations: 112, "
        "jaccard_threshold: 0.8, num_bands: 14, num_rows_per_band: 8}\n",
        "utf-8",
    )
    command = [str(Path(sys.executable).parent / "dj-process"), "--config", str(config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 0.0


def text_dedup(job: str, source: str, out: str, language: str) -> float:
    del job, language
    lines = sorted(Path(source).glob("*.jsonl"))
    options = {
        "path": "json",
        "data_files": str(lines[0]),
        "split": "train",
        "cache_dir": f"{out}/cache",
        "output": f"{out}/kept",
        "column": "text",
        "batch_size": "10000",
        "ngram": "5",
        "num_perm": "112",
        "b": "14",
        "r": "8",
        "threshold": "0.8",
        "min_length": "1",
        "hash_func": "xxh3",
    }
    command = [sys.executable, "-m", "text_dedup.minhash"]
    for name, value in options.items():
        command += [f"--{name}", value]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 0.0


if __name__ == "__main__":
    peer, job, source, out, language = sys.argv[1:6]
    spent = {"datatrove": datatrove, "presidio": presidio, "data-juicer": data_juicer, "text-dedup": text_dedup}[peer](
        job, source, out, language
    )
    sys.stdout.write(json.dumps({"cpu": spent}) + "\n")
