# Every target makes .venv on first use; nothing else is needed but Python 3.11 or newer.
PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed-from-pyproject

.PHONY: help demo test check format bench fuzz clean
.DEFAULT_GOAL := help

help:  ## show the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $@

demo: $(READY)  ## poison real data, find the poison, take it out, show the model before and after
	$(BIN)/foretaste demo

test: $(READY)  ## run every test
	$(BIN)/python -m pytest -n $(JOBS)

check: $(READY)  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## the quick detection benchmark, side by side with peers; start-up time
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.detection --quick

fuzz: $(READY)  ## one minute of coverage-guided fuzzing for every reader
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	for target in tests/fuzz/fuzz_*.py; do $(BIN)/python $$target -max_total_time=60 || exit 1; done

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist foretaste-demo .benchmarks .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
