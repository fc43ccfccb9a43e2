# make demo: hear music (SONG=path or MUSIC=folder for your own); make test: run the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_FOLDER := demo-songs
DEMO_LIBRARY := demo-library
MUSIC_LIBRARY := demo-music-library

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := demo

# Names of songs reach the shell as they are, whatever is in them: make and sh read no $ there.
override export SONG := $(value SONG)
override export MUSIC := $(value MUSIC)

ifdef SONG
demo: $(VENV)/ready
	$(BIN)/songprint classify --timeline "$$SONG"
else ifdef MUSIC
demo: $(VENV)/ready
	@test -e "$$MUSIC" || { echo "$$MUSIC: there is no such folder" >&2; exit 2; }
	$(BIN)/songprint add --library $(MUSIC_LIBRARY) "$$MUSIC" || test $$? -eq 1
	$(BIN)/songprint report --library $(MUSIC_LIBRARY)
	$(BIN)/songprint cluster --library $(MUSIC_LIBRARY)
	@echo "To listen and look: $(BIN)/songprint serve --library $(MUSIC_LIBRARY)"
else
demo: $(VENV)/ready
	$(BIN)/python -m songprint.pieces --out $(DEMO_FOLDER)
	$(BIN)/songprint classify --timeline $(DEMO_FOLDER)
	$(BIN)/songprint add --library $(DEMO_LIBRARY) $(DEMO_FOLDER)
	$(BIN)/songprint similar --library $(DEMO_LIBRARY) $(DEMO_FOLDER)/rock-backbeat.flac
endif

test: $(VENV)/ready-dev
	$(BIN)/pytest

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Half an hour on two cores; MUSIC=folder measures songs of your own. docs/performance.md reads the figures.
BENCH_MUSIC := $(or $(MUSIC),../shared/data/emotify)
bench: $(VENV)/ready-dev
	$(BIN)/python benchmarks/pipeline.py --by-stage --formats mp3-192 flac ogg m4a opus
	$(BIN)/python benchmarks/pipeline.py --seconds 30 240 1200
	$(BIN)/python benchmarks/add.py $(BENCH_MUSIC) --workers 1 2
	$(BIN)/python benchmarks/classify.py $(BENCH_MUSIC)
	$(BIN)/python benchmarks/decode.py
	$(BIN)/python benchmarks/mel.py
	$(BIN)/python benchmarks/descriptors.py
	$(BIN)/python benchmarks/search.py --rivals
	$(BIN)/python benchmarks/long_songs.py
	$(BIN)/python benchmarks/not_music.py

clean:
	rm -rf $(VENV) $(DEMO_FOLDER) $(DEMO_LIBRARY) $(MUSIC_LIBRARY)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "songprint needs Python 3.11 or newer: make PYTHON=python3.12 demo" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# With LOWEST=1, the oldest versions that pyproject.toml allows: are they enough?
LOWEST_FILE := $(if $(LOWEST),$(VENV)/lowest.txt)
$(VENV)/lowest.txt: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -c 'import re, tomllib; print(*(re.sub(">=([0-9.]+).*", "==\\1", needed) for needed in \
		tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]), sep="\n")' > $@

# torch first and by its exact version, which has a small CPU build where one is offered.
$(VENV)/ready-dev: pyproject.toml $(LOWEST_FILE) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet $(LOWEST_FILE:%=--constraint %) --editable '.[dev,train]'
	@touch $@ $(VENV)/ready
