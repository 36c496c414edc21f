# Two commands matter: `make run` starts Metamapper, `make test` proves it. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test bench chaos check format docs lock clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# A stamp per lock file: the second time costs nothing.
$(VENV)/.run: requirements/run.txt pyproject.toml
	@echo "Setting up $(VENV) (once; the next start takes seconds)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Adding the tools for tests and checks to $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.run ## Virtual environment with locked dependencies

setup-dev: $(VENV)/.dev

run: setup ## Start Metamapper on http://localhost:5050
	@exec $(BIN)/metamapper up

test: setup-dev ## Checks, then every test, on both metastores
	@$(BIN)/python -m tests.run $(ARGS)

bench: setup-dev ## Measure against the floor, print the table; ENGINE=name measures one engine, ENGINE=all the memory of each
	@$(BIN)/python -m benchmarks$(if $(ENGINE),.engines $(ENGINE)) $(ARGS)

BROKER ?= redis
SECONDS ?= 60
chaos: setup-dev ## Workers and schedulers under random faults: BROKER=redis|rabbitmq|sqs SECONDS=60 SEED=1 MUTANT=
	@$(BIN)/python -m tests.chaos --broker $(BROKER) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(MUTANT),--mutant $(MUTANT))

check: setup-dev ## Format, lint, types, import contract
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/lint-imports --no-logo && $(BIN)/mypy

format: setup-dev ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

docs: setup-dev ## Write what the code knows into the pages
	@$(BIN)/python -m docs.derive

lock: setup-dev ## Renew requirements/*.txt from pyproject.toml
	@$(BIN)/python -m requirements.lock

clean: ## Remove what setup made
	rm -rf $(VENV)
