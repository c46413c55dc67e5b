# What one does here: `make demo`, `make test`. The environment is made when it is first needed,
# and again when its lock changes.

PYTHON ?= python3
ARGS ?=
VENV := .venv
STAMP := $(VENV)/.made

.PHONY: demo up test lint bench faults lock

demo: $(STAMP)
	$(VENV)/bin/postroom demo $(ARGS)

up: $(STAMP)
	$(VENV)/bin/postroom up $(ARGS)

# Two workers, each with a server of its own: most tests wait more than they work.
test: $(STAMP)
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: $(STAMP)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# `make bench ROW=http` measures one row.
bench: $(STAMP)
	$(VENV)/bin/python -m bench $(ROW) $(ARGS)

# The fault suite in its long form: every family of faults, three seeds each, in some 40 minutes.
faults: $(STAMP)
	$(VENV)/bin/python -m tests.faults $(ARGS)

# Renews both locks; needs uv. No index address may stand in them: they serve any mirror.
lock:
	uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	    --no-header --extra dev pyproject.toml --output-file requirements-dev.lock
	uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	    --no-header --constraint requirements-dev.lock pyproject.toml --output-file requirements.lock
	! grep --extended-regexp '://|^--|-r /' requirements.lock requirements-dev.lock

$(STAMP): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Postroom needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
	    --require-hashes --requirement requirements-dev.lock
	@$(VENV)/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --no-index --editable .
	@touch $(STAMP)
