"""Compiled passes over the UTF-8 bytes of a column of texts. They know arrays only: no engine, no store, no rule."""
