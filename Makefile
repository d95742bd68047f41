# Every step that people and the build run. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
RUN := PYTHONPATH=hack $(BIN)/python
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
WHEEL_TESTS := AICOST_WHEEL=1 $(BIN)/python -m pytest -q -o "pythonpath=tests hack"
FAST := tests/unit tests/golden tests/contract

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

$(STAMP): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' \
	  || { echo "aicost needs Python 3.11 to 3.13; name one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "installing the locked dependencies into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

.PHONY: dev
dev: $(STAMP) ## install everything into .venv

.PHONY: demo
demo: $(STAMP) ## a local cluster, a simulated fleet of 64 GPUs, the real chart, the real reports (KEEP=1 leaves it running)
	@$(RUN) -m demo $(if $(KEEP),--keep)

.PHONY: test
test: $(STAMP) verify wheel ## everything, on the wheel: checks, unit to golden, the real control plane, the chart
	@rm $(STAMP)  # until the source tree is back in its place, whatever happens before
	@$(INSTALL) --force-reinstall dist/*.whl
	$(WHEEL_TESTS) -n 2 -m "not cluster" tests
	$(RUN) -m devcluster build
	$(WHEEL_TESTS) -n 2 --dist loadfile -m cluster tests
	@hack/e2e-kind --check || true
	@$(INSTALL) --no-build-isolation -e . && touch $(STAMP)

.PHONY: test-fast
test-fast: $(STAMP) ## the quick ones, which need no cluster: some minutes
	$(BIN)/python -m pytest -q -n 2 -m "not cluster" $(wildcard $(FAST))

.PHONY: verify
verify: $(STAMP) lint type imports generated ## static checks and drift of generated files

.PHONY: lint
lint: $(STAMP) ## format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: type
type: $(STAMP) ## types
	$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## the layers of the house
	$(BIN)/lint-imports --no-logo

.PHONY: generated
generated: $(STAMP) ## fail if a generated file is not what its source says
	$(RUN) hack/generate.py --verify

.PHONY: generate
generate: $(STAMP) ## write the generated files: CRDs, chart schema, references
	$(RUN) hack/generate.py

.PHONY: fmt
fmt: $(STAMP) ## format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: ## resolve the dependencies again
	$(BIN)/python -m pip install --quiet uv==0.13.8
	$(BIN)/uv pip compile -q pyproject.toml --extra notify --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements/dev.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra notify --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements/runtime.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(BIN)/uv pip compile -q - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements/build.lock

.PHONY: wheel
wheel: $(STAMP) ## build the wheel, and beside it the bill of materials of what it runs with
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist
	$(BIN)/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --of JSON --validate -o dist/aicost.cdx.json

.PHONY: image
image: ## build the container image (needs docker)
	docker build -t aicost:dev .

.PHONY: e2e-kind
e2e-kind: $(STAMP) ## the same suite on kind (needs docker and kind)
	PYTHON=$(BIN)/python hack/e2e-kind

.PHONY: bench
bench: $(STAMP) ## figures: what grows as it should, and how fast it is here
	AICOST_BENCH=full $(BIN)/python -m pytest -q tests/bench --no-header -s

.PHONY: down
down: $(STAMP) ## stop a demo that was left running
	@$(RUN) -m demo --down
