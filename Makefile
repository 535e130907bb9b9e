.PHONY: setup test lint docs bench chaos inject flip fuzz lowest pythons ci

PYTHON ?= python3
BIN := .venv/bin

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -e '.[dev,docs]'

test:
	$(BIN)/python -m pytest -n 2

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/reference.py --check

# Needs the extra `docs`. The site is then in site/, to be opened from there.
docs:
	$(BIN)/python docs/reference.py
	$(BIN)/python docs/make_sketches_sheet.py
	$(BIN)/mkdocs build --strict

bench:
	$(BIN)/python benchmarks/throughput.py

# Kills a comparison at random moments: `make chaos KILLS=500 SEED=7`.
KILLS ?= 300
SEED ?= 1
chaos:
	LRLAB_CHAOS_KILLS=$(KILLS) LRLAB_CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -m slow -s tests/test_chaos.py

# Lets every file operation of every command fail once, in each way; needs a C compiler.
inject:
	$(BIN)/python -m pytest -m slow -s tests/test_injected.py

# Flips a bit of every byte in a results directory, and every bit of what is small.
flip:
	$(BIN)/python -m pytest -m slow -s tests/test_safekeeping.py

# The suite on the lowest versions that pyproject.toml allows.
lowest:
	.ci/lowest

# The suite on each Python that pyproject.toml names and this machine has.
pythons:
	.ci/pythons

# Needs the extra `fuzz`; see docs/contributing/security.md.
MINUTES ?= 10
TARGETS ?= config idx npz run checkpoint comparison sweep
fuzz:
	for target in $(TARGETS); do \
	  $(BIN)/python tests/fuzz/run.py $$target -max_total_time=$$(( $(MINUTES) * 60 )) || exit 1; \
	done

ci:
	bash .ci/run
