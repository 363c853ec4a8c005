"""Readers: one file a family of formats. Each turns a file into a stream of rows and rejects; `registry` says who reads what."""
