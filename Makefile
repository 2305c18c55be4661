# Every target sets up what it needs: one virtual environment, made once and again when its inputs change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up
NOTEBOOKS := $(wildcard notebooks/*.ipynb notebooks/runbooks/*.ipynb)

.PHONY: help setup demo console lab test coverage notebooks rerun-notebooks docs lint bench picture dialogs clean
.DEFAULT_GOAL := help

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort

setup: $(SETUP) ## Make the virtual environment.

$(SETUP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# What is given on the command line reaches the notebook word for word, through the environment of the shell, and so that
# no variable of that name which happens to be there is taken for it.
$(foreach name,TRACE DEVICE SPAN RPO BUDGET SIZE,$(if $(filter command,$(origin $(name))),\
  $(eval export DEMO_$(name) := $$(value $(name)))))
demo: $(SETUP) ## Choose, run, prove: make demo [RPO=2h] [BUDGET=12]; or choose for TRACE=path [DEVICE=0] [SPAN=96h] [SIZE=1TiB]
	@notebook=protect-a-volume; \
	test -z "$$DEMO_TRACE$$DEMO_DEVICE$$DEMO_SPAN$$DEMO_SIZE" || notebook=choose-a-strategy; \
	$(BIN)/python notebooks/run.py notebooks/$$notebook.ipynb trace="$$DEMO_TRACE" device="$$DEMO_DEVICE" \
		span="$$DEMO_SPAN" rpo="$$DEMO_RPO" budget="$$DEMO_BUDGET" size="$$DEMO_SIZE"

console: $(SETUP) ## Serve the pages of a demo to a browser on this machine: make console [ARGS="--speed 600"]
	@$(BIN)/snapkit console $(ARGS)

lab: $(SETUP) ## Open JupyterLab on the notebooks.
	@$(BIN)/jupyter-lab --notebook-dir=notebooks --ip=127.0.0.1

test: $(SETUP) ## Run every test.
	$(BIN)/python -m pytest --numprocesses 2 $(ARGS)

coverage: $(SETUP) ## Run every test, half as fast, and tell what none of them reaches.
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term $(ARGS)

notebooks: $(SETUP) ## Run every notebook and compare what it shows with what it showed.
	$(BIN)/python -m pytest --nbval --nbval-cell-timeout=300 $(NOTEBOOKS)

rerun-notebooks: $(SETUP) ## Run every notebook and keep what it shows.
	$(BIN)/jupyter-nbconvert --execute --inplace --ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False --log-level=WARN $(NOTEBOOKS)

docs: $(SETUP) ## Build the documentation; a warning is an error.
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet -b html docs build/docs
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

dialogs: $(SETUP) ## Take the pictures of the dialogs that the documentation shows.
	$(BIN)/python docs/dialogs.py

clean: ## Remove what was built, but not the virtual environment.
	rm -rf build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
