# Everything a newcomer needs: Python >= 3.11 and make. `make help` lists the targets.

PYTHON      ?= python3
VENV        ?= .venv
# More extras, separated by commas, and their tests: EXTRAS=hf,inspect,train
EXTRAS      ?=
# A smaller torch: TORCH_INDEX=https://download.pytorch.org/whl/cpu, or a version in TORCH.
TORCH       ?=
TORCH_INDEX ?=
WORKERS     ?= auto
PYTEST_ARGS ?=
AUDIT_ARGS  ?=
DEMO_ARGS   ?=
# All of bench/ but what they share; DATA is the folder of the benchmarks' published files.
BENCH       ?= $(filter-out reader_data,$(basename $(notdir $(wildcard bench/*.py))))
DATA        ?= ../shared/data

BIN   := $(VENV)/bin
RUN   := $(BIN)/python
STAMP := $(VENV)/.viva
COMMA := ,
# Rounds of make with other extras share one environment; each set leaves its own stamp.
DEV   := $(STAMP)-dev$(if $(EXTRAS),-$(subst $(COMMA),-,$(EXTRAS)))
PEERS := $(STAMP)-dev-hf-inspect-peers
TRAIN := $(STAMP)-train

# One thread per process: the tests run in parallel, and results must not depend on the machine.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: audit bench check clean docs help test train-demo

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 20

audit: $(STAMP)-core ## set up and examine the bundled answers; prints the table and the report's place
	@$(BIN)/viva audit sample $(AUDIT_ARGS)

test: check ## set up, check and run the tests; EXTRAS=hf,inspect,train with those of the extras
	@$(RUN) -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(PYTEST_ARGS)

check: $(DEV) ## style, types, layer order, documentation
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: $(BIN)/ruff format ."; exit 1; }
	@$(RUN) tools/check_text.py
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log 2>&1 || { cat $(VENV)/lint-imports.log; exit 1; }
	@$(RUN) tools/build_docs.py --check
	@$(RUN) tools/check_links.py
	@echo "check: style, types, layer order and documentation are in order"

bench: $(PEERS) ## performance, coverage and peers, side by side; some: BENCH="reader_speed ..."
	@for name in $(BENCH); do case $$name in \
		medcalc_solvers) given="--data $(DATA)/medcalc/medcalc_test_2024-06.odd.csv" ;; \
		transitions_published | reader_mirage | reader_outputs | reader_speed) given="--data $(DATA)" ;; \
		*) given= ;; \
	esac; \
	if [ -n "$$given" ] && [ ! -d "$(DATA)" ]; then echo "== $$name: left out, needs DATA=FOLDER"; continue; fi; \
	echo "== bench/$$name.py $$given"; $(RUN) bench/$$name.py $$given || exit 1; done

train-demo: $(TRAIN) ## train and examine a small model in a fictional medicine; DEMO_ARGS="--quick --out demo"
	@$(BIN)/viva train-demo $(DEMO_ARGS)

docs: $(DEV) ## make the pages that are generated from the code
	@$(RUN) tools/build_docs.py

clean: ## remove the environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp per set of extras; what the project needs has changed when pyproject.toml has.
INSTALL = command -v $(PYTHON) > /dev/null \
	|| { echo "no $(PYTHON) here: make PYTHON=... with Python >= 3.11"; exit 1; }; \
	$(PYTHON) tools/install.py --venv $(VENV)

$(STAMP)-core: pyproject.toml tools/install.py
	@$(INSTALL)
	@touch $@

$(STAMP)-train: pyproject.toml tools/install.py
	@$(INSTALL) --extras train --torch "$(TORCH)" --torch-index "$(TORCH_INDEX)"
	@touch $@ $(STAMP)-core

$(STAMP)-dev: pyproject.toml tools/install.py
	@$(INSTALL) --extras dev
	@touch $@ $(STAMP)-core

$(STAMP)-dev-%: pyproject.toml tools/install.py
	@$(INSTALL) --extras dev,$(subst -,$(COMMA),$*) --torch "$(TORCH)" --torch-index "$(TORCH_INDEX)"
	@touch $@ $(STAMP)-dev $(STAMP)-core
