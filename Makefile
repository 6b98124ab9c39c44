# How is the product run, tested and checked? Needs Python 3.11 or newer and make; everything else is put into .venv.

.DEFAULT_GOAL := help
.PHONY: help run test coverage chaos bench check venv lint format types imports sql lock clean
.NOTPARALLEL:

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
INSTALL := $(PIP) install --root-user-action=ignore --no-deps
# The locks are complete, so nothing is resolved; what is imported is compiled when it is.
LOCKED := $(INSTALL) --no-compile --require-hashes
DATA ?= .lms
CYCLES ?= 20

# A stamp carries the sum of what it was made from, so that `make venv` is done at once when nothing changed.
RUNTIME := .venv/.runtime-$(shell cat requirements.lock pyproject.toml | cksum | tr -c '0-9\n' '-')
TOOLS := .venv/.tools-$(shell cat requirements-dev.lock pyproject.toml | cksum | tr -c '0-9\n' '-')

help: ## Show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'

run: $(RUNTIME) ## Serve the product with a demo organisation on http://127.0.0.1:8000 (data in .lms; DATA= chooses another place)
	@exec $(BIN)/lms serve --demo --data-dir '$(DATA)'

test: $(TOOLS) ## Run all tests against a real PostgreSQL that they start themselves
	@$(BIN)/pytest -q

coverage: $(TOOLS) ## Check that their own tests take every branch of domain and event log
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q --hypothesis-seed=0 tests/domain tests/eventlog
	@$(BIN)/coverage report

chaos: $(TOOLS) ## Kill servers, projectors and imports under load, again and again (CYCLES=20)
	@$(BIN)/pytest -q tests/chaos --cycles $(CYCLES)

bench: $(RUNTIME) ## Measure appends, dispatch and HTTP on this machine, a line of JSON each (TO= a file that takes them)
	@for figure in append dispatch http; do $(BIN)/lms bench $$figure --json --data-dir '$(DATA)' || exit 1; done \
		$(if $(TO),> '$(TO)')

check: lint types imports sql coverage test ## Lint, types, import rules, migrations, coverage, then all tests: what CI runs

venv: $(TOOLS) ## Make and fill .venv with runtime, test and lint tools

lint: $(TOOLS) ## Look for lint and for files that are not formatted
	@$(BIN)/ruff check src tests ops
	@$(BIN)/ruff format --check src tests ops

format: $(TOOLS) ## Format, and repair what lint can repair itself
	@$(BIN)/ruff check --fix-only --quiet src tests ops
	@$(BIN)/ruff format src tests ops

types: $(TOOLS) ## Check types
	@$(BIN)/mypy

imports: $(TOOLS) ## Check that imports keep to the layers of the architecture
	@$(BIN)/lint-imports --no-logo

sql: $(TOOLS) ## Check that migrations can run beside a working server
	@$(BIN)/squawk --config ops/squawk.toml ops/migrations/*.sql

lock: $(TOOLS) ## Pin the newest allowed versions in requirements.lock and requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group dev pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--group build -c requirements-dev.lock pyproject.toml -o requirements.lock

clean: ## Remove .venv and what tools leave behind; data stays
	@rm -rf .coverage .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

$(TOOLS): | .venv/bin/python
	@echo "Filling .venv ..."
	@$(LOCKED) -r requirements-dev.lock
	@$(INSTALL) --no-build-isolation -e .
	@rm -f .venv/.runtime-* .venv/.tools-* && touch $(RUNTIME) $@

$(RUNTIME): | .venv/bin/python
	@echo "Filling .venv ..."
	@$(LOCKED) -r requirements.lock
	@$(INSTALL) --no-build-isolation -e .
	@rm -f .venv/.runtime-* && touch $@

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment: on Debian and Ubuntu install python3-venv" >&2; exit 1; }
