.PHONY: setup test lint docs bench chaos ci

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

# Kills a comparison at random moments: `make chaos KILLS=500 SEED=7`.
KILLS ?= 300
SEED ?= 1
chaos:
	LRLAB_CHAOS_KILLS=$(KILLS) LRLAB_CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -m slow -n 0 -s tests/test_chaos.py

ci:
	bash .ci/run
