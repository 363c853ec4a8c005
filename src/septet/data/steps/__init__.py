"""The steps of stage 1, data: what each takes, what it makes, and what it can be told. The work is in the files beside."""

from septet.data.steps.duplicates import (
    Deduplicate,
    DeduplicatePassages,
    Overlap,
    Sketch,
    deduplicate,
    deduplicate_passages,
    overlap,
    sketch,
)
from septet.data.steps.knowledge import Knowledge, Questions, Retrieve, Rows, knowledge, questions, retrieve, rows
from septet.data.steps.quality import (
    Clean,
    Filter,
    Measure,
    PerplexityModel,
    QualityClassifier,
    clean,
    filter_,
    measure,
    perplexity_model,
    quality_classifier,
)
from septet.data.steps.safety import Mask, mask
from septet.data.steps.sources import Read, read
from septet.data.steps.tokens import Pack, TrainTokenizer, pack, tokenizer

__all__ = [
    "Clean",
    "Deduplicate",
    "DeduplicatePassages",
    "Filter",
    "Knowledge",
    "Mask",
    "Measure",
    "Overlap",
    "Pack",
    "PerplexityModel",
    "QualityClassifier",
    "Questions",
    "Read",
    "Retrieve",
    "Rows",
    "Sketch",
    "TrainTokenizer",
    "clean",
    "deduplicate",
    "deduplicate_passages",
    "filter_",
    "knowledge",
    "mask",
    "measure",
    "overlap",
    "pack",
    "perplexity_model",
    "quality_classifier",
    "questions",
    "read",
    "retrieve",
    "rows",
    "sketch",
    "tokenizer",
]
