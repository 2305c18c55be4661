# Every target sets up what it needs: one virtual environment, made once and again when its inputs change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.PHONY: help setup demo test notebooks rerun-notebooks docs lint bench picture clean
.DEFAULT_GOAL := help

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort

setup: $(SETUP) ## Make the virtual environment.

$(SETUP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# TRACE, DEVICE, SPAN, RPO, BUDGET and SIZE reach the notebook through the shell's environment, so that any text is safe.
export TRACE DEVICE SPAN RPO BUDGET SIZE
demo: $(SETUP) ## Choose a strategy: make demo [TRACE=path.csv.gz] [DEVICE=0] [SPAN=96h] [RPO=2h] [BUDGET=40] [SIZE="1 TiB"]
	@$(BIN)/python notebooks/run.py notebooks/choose-a-strategy.ipynb \
		trace="$$TRACE" device="$$DEVICE" span="$$SPAN" rpo="$$RPO" budget="$$BUDGET" size="$$SIZE"

test: $(SETUP) ## Run every test.
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term $(ARGS)

notebooks: $(SETUP) ## Run every notebook and compare what it shows with what it showed.
	$(BIN)/python -m pytest --nbval --nbval-cell-timeout=300 $(NOTEBOOKS)

rerun-notebooks: $(SETUP) ## Run every notebook and keep what it shows.
	$(BIN)/jupyter-nbconvert --execute --inplace --ExecutePreprocessor.record_timing=False --log-level=WARN $(NOTEBOOKS)

docs: $(SETUP) ## Build the documentation; a warning is an error.
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -b html docs build/docs
	@echo "open build/docs/index.html"

lint: $(SETUP) ## Check style, types, layers and spelling.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(SETUP) ## Measure speed as ratios.
	$(BIN)/python -m tests.bench

picture: $(SETUP) ## Draw the picture that README.md shows.
	$(BIN)/python docs/picture.py

clean: ## Remove what was built, but not the virtual environment.
	rm -rf build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
