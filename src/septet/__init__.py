"""Septet: from an organisation's raw documents to a governed LLM application, in seven stages with one chain of evidence."""

__version__ = "0.1.0"
