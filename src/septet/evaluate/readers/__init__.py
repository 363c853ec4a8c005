"""Readers of benchmarks in their own published files: one file a format, each with `read(folder) -> Benchmark`.

A reader is tolerant of layout (a subset, the full release, the hub's Parquet, gzip) and strict about content: a row that cannot be
read goes to `rejected` with its place and the reason. No reader asks the network.
"""
