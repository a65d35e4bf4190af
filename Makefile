# make install      the environment alone: .venv, with what constraints.txt pins
# make quickstart   environment, then data -> model -> scores -> report of arithmetic/tiny
# make test         environment, then ruff, mypy and the tests
# Any user, no sudo. Needs Python 3.11 or newer with venv and pip. PYTHON=/path/to/python chooses one.

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
DISTRIBUTIONS := shared $(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml))
PINS := constraints.txt requirements-dev.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))

DOMAINS := $(patsubst %,-e %,$(filter packages/%,$(DISTRIBUTIONS)))

NEW_ENOUGH := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
# Processes that run the tests.
WORKERS ?= 2

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo $$p; break; }; done)

# The stamp holds the folder that the environment was made in: one that was moved, or whose Python is gone, is stale.
MADE_IN := $(shell $(BIN)/python -c 'print(open("$(STAMP)").read().strip())' 2>/dev/null)
ifneq ($(MADE_IN),$(CURDIR))
$(STAMP): stale
endif

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONNOUSERSITE := 1

.PHONY: install quickstart test demo constraints constraints-lower clean stale
.DEFAULT_GOAL := quickstart

install: $(STAMP)

quickstart: $(STAMP)
	$(BIN)/zoo reproduce arithmetic/tiny

test: $(STAMP)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not slow and not browser'

demo: $(STAMP)
	$(BIN)/zoo demo arithmetic

# The build tools come first, pinned, and build the packages without an isolated (unpinned) environment.
$(STAMP): $(PINS)
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo 'make: no Python 3.11 or newer with venv and pip was found ("$(PYTHON)"); install one, or name it: make PYTHON=/path/to/python' >&2; exit 2; }
	@rm -f $@; echo "installing what constraints.txt pins into $(VENV): minutes the first time"
	$(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null || "$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e 'shared[demo,gguf,quantised,schedule-free,synth,test]' $(DOMAINS)
	@echo '$(CURDIR)' > $@

# Resolves everything afresh, with every extra, and writes constraints.txt: its head, then what pip chose.
SCRATCH := build/resolve
constraints:
	rm -rf $(SCRATCH)
	"$(PYTHON)" -m venv $(SCRATCH)
	grep -E '^[a-z].*# held' constraints.txt > $(SCRATCH)/held.txt
	$(SCRATCH)/bin/python -m pip install --quiet -c $(SCRATCH)/held.txt -r requirements-dev.txt \
		-e 'shared[demo,gguf,quantised,schedule-free,synth,test]' $(DOMAINS)
	sed '/^[^#]/,$$d' constraints.txt > $(SCRATCH)/new.txt
	$(SCRATCH)/bin/python -m pip freeze --all --exclude pip --exclude-editable > $(SCRATCH)/chosen.txt
	sed -E 's/[+].*//' $(SCRATCH)/chosen.txt | while read -r pin; do \
		grep -qF "$$pin  # held" $(SCRATCH)/held.txt && pin="$$pin  # held"; echo "$$pin"; done >> $(SCRATCH)/new.txt
	mv $(SCRATCH)/new.txt constraints.txt

# The same with the lower bounds of the pyproject files, and the torch of constraints.txt: constraints-lower.txt.
constraints-lower:
	rm -rf $(SCRATCH)
	"$(PYTHON)" -m venv $(SCRATCH)
	"$(PYTHON)" tests/wheels/lower_bounds.py > $(SCRATCH)/pins.txt
	grep '^torch==' constraints.txt >> $(SCRATCH)/pins.txt
	$(SCRATCH)/bin/python -m pip install --quiet -c $(SCRATCH)/pins.txt $$(sed 's/==.*//' $(SCRATCH)/pins.txt) \
		editables hatchling hypothesis pytest-xdist selenium
	sed '/^[^#]/,$$d' constraints-lower.txt > $(SCRATCH)/new.txt
	$(SCRATCH)/bin/python -m pip freeze --all --exclude pip | sed -E 's/[+].*//' >> $(SCRATCH)/new.txt
	mv $(SCRATCH)/new.txt constraints-lower.txt

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache
