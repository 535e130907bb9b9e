.PHONY: setup test lint docs bench ci

PYTHON ?= python3
BIN := .venv/bin

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e '.[dev]'

test:
	$(BIN)/python -m pytest

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python docs/reference.py --check

docs:
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/make_sketches_sheet.py

bench:
	$(BIN)/python benchmarks/throughput.py

ci:
	bash .ci/run
