# Every target sets up what it needs in the checkout (.venv) and nothing outside it.
SHELL := /bin/bash
PYTHON ?= python3
# Where `make dev` serves: `make dev PORT=2025`, say.
PORT ?= 2024
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export LANGGRAPH_CLI_NO_ANALYTICS := 1
export LANGGRAPH_NO_VERSION_CHECK := true

.PHONY: help setup demo pictures actions schema dev bench eval mutations test test-services deep deep-again lint format lock clean
.DEFAULT_GOAL := help

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, {sys.executable} is {v.major}.{v.minor}; name another with: make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(STAMP) ## Play one incident from alarm to report, on this machine
	@$(BIN)/cloudops demo

pictures: $(STAMP) ## Make the README's pictures: the demo's terminal, and its report where Chromium is found
	$(BIN)/python -m console.pictures

actions: $(STAMP) ## Write docs/actions.md from the catalogue of actions
	$(BIN)/python -m console.catalogue

schema: $(STAMP) ## Write docs/schema/incident.v1.json, unless it would break its readers
	$(BIN)/python -m memory.schema

dev: $(STAMP) ## Serve the graph with the simulated account beside it, until Ctrl-C
	@$(BIN)/python -m web.dev --port $(PORT)

bench: $(STAMP) ## Time commands and checkpointers beside their peers, and write docs/benchmarks.md
	@$(BIN)/python -m evals.bench
	@$(BIN)/python -m evals.bench.checkpoints
	@$(BIN)/python -m evals.bench.authority

eval: $(STAMP) ## Play every scenario with three seeds, renamed by each, then with given plans, and write both pages
	@$(BIN)/cloudops eval --seeds 3 --renamed --threshold 0 --page docs/evaluation.md --json out/evaluation.json
	@$(BIN)/cloudops eval --plan-from-truth --both --page docs/remediation-evaluation.md

mutations: $(STAMP) ## Take away each forbid and each check, see that a test notices, and write docs/policies.md
	@$(BIN)/python -m evals.mutations

test: $(STAMP) ## Run the tests (Python only, no network but loopback)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

test-services: $(STAMP) ## Run the contract suites on a real DynamoDB Local (Java 17 and Maven), or on the one named
	@$(BIN)/python -m tests.services

deep: $(STAMP) ## Run the slow tests: whole processes, killed and restarted, every scenario and variant
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow

deep-again: $(STAMP) ## Run those of the slow tests again that failed last
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow --last-failed --last-failed-no-failures none

lint: $(STAMP) ## Check style, types and the direction of imports
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(STAMP) ## Format the code in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## Resolve requirements.lock anew, for every supported Python
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet --output-file requirements.lock

clean: ## Remove what set-up and runs have made in this checkout
	rm -rf $(VENV) .cloudops .langgraph_api out .mypy_cache .ruff_cache .pytest_cache .hypothesis
