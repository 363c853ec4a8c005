# The two commands: make demo, make test. Both need Python 3.11+, pip and make, and make their own .venv from the lock.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow check bench docs clean

help:
	@echo "make demo       set up and run the quickstart: raw documents to a governed answer"
	@echo "make test       set up and run the default tests (no network, no GPU)"
	@echo "make test-slow  the long tests: real weights, the whole quickstart"
	@echo "make check      format, lint, types"
	@echo "make bench      benchmarks beside peers; results go to benchmarks/results"
	@echo "make docs       write the generated reference pages"

venv: .venv/.made

.venv/.made: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: venv
	$(BIN)/septet run recipes/quickstart.toml
	$(BIN)/septet chat quickstart "What is the default similarity for near duplicates?"
	$(BIN)/septet chat quickstart "服务默认监听哪个端口？"
	@echo
	@echo "Try next:  $(BIN)/septet chat       ask it yourself"
	@echo "           $(BIN)/septet trace      follow the last answer back to file and span"
	@echo "           $(BIN)/septet console    see runs, releases, traces, and chat in the browser"

test: venv
	$(BIN)/python -m pytest

test-slow: venv
	$(BIN)/python -m pytest -m slow

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: venv
	$(BIN)/python benchmarks/run.py

docs: venv
	$(BIN)/python -m septet.cli.reference docs/reference

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
