# Every target says what it does: make help.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
PYTEST := .venv/bin/python -m pytest
# Verbose once cancels the configuration's quiet: dots, and a full closing line.
PYTEST_OPTIONS := -v

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup images demo down test check lab lab-long bench clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing: Debian packages, .venv, a container engine, terraform (root)
	@tools/setup

images: ## Build the example's images, on stand-ins from Debian packages where Docker Hub's are not there (root)
	@.venv/bin/python tools/images.py

demo: setup images ## Bring the example up and leave it running (root)
	@.venv/bin/tsubo up examples/ecs-navi
	@echo "It goes on running. Look: .venv/bin/tsubo status. End it: make down"

down: ## End the demo and remove everything of it (root)
	@.venv/bin/tsubo down

test: setup images check lab ## Everything that must hold: setup, images, check, lab (root)

check: ## Lint, types, layers and the pure tests: no root, less than a minute
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PYTEST) $(PYTEST_OPTIONS) -m "not lab"

lab: ## The tests that send real packets (root)
	$(PYTEST) $(PYTEST_OPTIONS) -m "lab and not slow"

lab-long: ## The tests that take minutes: the real AWS provider, mostly its own waits (root)
	$(PYTEST) $(PYTEST_OPTIONS) -m slow

bench: ## Measure how fast the example comes up and scales (root)
	@.venv/bin/python tools/bench.py

clean: ## Remove what the build made in this directory: .venv and caches
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
