# The two commands: `make demo` shows the whole weekly job, `make test` runs every check.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help environment system demo down test tests lint types bench soak clean

DATA ?= synthetic
SIP ?= ../shared/data/sip/sip_tasks_to_2012.csv
BIN := .venv/bin

# A home per world, so that both demos may run side by side.
HOMES := $(or $(TALENTML_HOME),.talentml .talentml-sip)
demo: export TALENTML_HOME := $(or $(TALENTML_HOME),.talentml$(if $(filter sip,$(DATA)),-sip))

# Bytecode: without it every process compiles its libraries again, and starts twice as slowly.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

help:  ## these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

environment:  ## .venv, pinned by version and hash
	@.ci/environment

system: environment  ## what needs the system's package manager, such as MariaDB
	@$(BIN)/talentml doctor --install

demo: environment  ## the whole weekly job, end to end: make demo, or make demo DATA=sip [SIP=file.csv]
	@$(BIN)/python -m dags.demo $(DATA) $(if $(filter sip,$(DATA)),$(SIP))

down:  ## stop every server that the demos started
	@for home in $(HOMES); do \
	  if [ -d "$$home" ] && [ -x $(BIN)/talentml ]; then $(BIN)/talentml servers stop --home "$$home"; fi; \
	done

test: lint  ## every check: ruff, mypy, import-linter, and all tests with real servers
	@$(MAKE) --no-print-directory --jobs=2 types tests

# Tests wait for servers a third of their time: five workers keep four cores at work. What small worlds they need is
# built once for both runs.
# To collect the files with a mark takes 4 s, all tests 12.
tests: system
	@export TALENTML_TEST_SHARED=$$(mktemp -d); trap 'rm -rf "$$TALENTML_TEST_SHARED"' EXIT; \
	$(BIN)/python -m pytest --numprocesses $$(( ($$(nproc) * 5 + 3) / 4 )) --maxprocesses 5 --no-loadscope-reorder -m "not alone"; \
	$(BIN)/python -m pytest -m alone $$(grep -rlE --include='*.py' 'mark\.alone\b' tests)

lint: environment  ## ruff and the layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: environment  ## mypy, strict
	@$(BIN)/mypy

BENCHES := asof pairs explain retrieval embedding online route products
bench: environment  ## speed as ratios: joins, columns, explanations, retrieval, embeddings, features, the route, training
	@failed=; for name in $(BENCHES); do \
	  echo "== $$name"; PYTHONPATH=. $(BIN)/python bench/$$name.py || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "aims missed:$$failed" >&2; exit 1; }

soak: environment  ## ten minutes of load on the service while its model is replaced twenty times
	@PYTHONPATH=. $(BIN)/python bench/soak.py

# MariaDB's files lie outside of a home that its user may not enter, and are linked to from there.
clean: down  ## remove the homes and the caches, keep .venv
	@for home in .talentml .talentml-sip; do [ ! -L "$$home/mysql" ] || rm -rf "$$(readlink "$$home/mysql")"; done
	rm -rf .talentml .talentml-sip .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
