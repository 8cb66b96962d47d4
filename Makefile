# One list of commands for people, hooks and CI. Every target installs what it needs into .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Two processes suit two cores and bound memory; MAKEFLAGS stay out of the tests.
WORKERS ?= 2
BUDGET  ?= 600
export BENTOML_DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

.DEFAULT_GOAL := help
.PHONY: help install demo test check format serve bench soak coverage docs lock clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(STAMP)  ## a virtual environment in .venv with the locked dependencies (PYTHON=python3.12 picks another)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else \
	  f"Kairos needs Python 3.11 or 3.12, and $(PYTHON) is {v[0]}.{v[1]}: name another with make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	@# uv installs the lock in seconds where pip takes minutes; but it does not read pip.conf, so pip stands in.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	$(BIN)/uv pip install --quiet --system-certs --no-deps --python $(BIN)/python -r requirements.lock || \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## import, train, decide for 2,469 real households, and say why (WORLD=simulated: half simulated)
	$(BIN)/kairos demo $(if $(WORLD),--world $(WORLD))

test: $(STAMP)  ## the whole suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: $(STAMP)  ## format, lint, strict types, arrows between rooms, fresh docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.docs --check

format: $(STAMP)  ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)  ## write the generated pages of docs/ anew
	$(BIN)/python -m pipelines.docs

serve: $(STAMP)  ## the HTTP service on the demo's data (run make demo first)
	$(BIN)/kairos serve --demo

bench: $(STAMP)  ## list the benchmarks (kairos bench promises needs no data of yours)
	$(BIN)/kairos bench

soak: $(STAMP)  ## the random suite with new examples, kills and faults for BUDGET seconds, and the cases reached
	$(BIN)/python -m benchmarks.soak --seconds $(BUDGET)

coverage: $(STAMP)  ## the suite with branch coverage
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report=term-missing

lock: $(STAMP)  ## resolve the dependencies anew, for both Pythons
	rm -f requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --group dev \
	  pyproject.toml --output-file requirements.lock

clean:  ## remove the environment, caches and the demo's data
	rm -rf $(VENV) .kairos .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find mlruns -mindepth 1 ! -name README.md ! -name .gitignore -delete
