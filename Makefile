# Two commands matter: `make demo` and `make test`. Each makes what it needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
FRONTEND := $(shell find src style schema -type f) tsconfig.json
BACKEND := $(shell find jupyter_mlops -name '*.py')

# The front end's packages come from the registry that npm is configured with.
export YARN_NPM_REGISTRY_SERVER ?= $(shell npm config get registry 2>/dev/null)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export YARN_ENABLE_TELEMETRY := 0

.PHONY: help demo install test lint test-python test-fast test-js test-ui soak bench docs clean

help:
	@echo "make demo    publish, serve and re-run an example notebook, in its own environment"
	@echo "make test    everything: linters, Python, Jest and browser tests"
	@echo "make test-fast  the Python tests that need no network and no tools"
	@echo "make soak    20 000 malformed notebooks, 20 000 random programs, 200 000 changes, 100 kills; two hours"
	@echo "make install the development environment in .venv"
	@echo "make bench   the benchmarks, side by side with their peers"

# --- demo ---------------------------------------------------------------------------------
demo: $(DEMO)/installed
	JUPYTER_MLOPS_HOME=$(CURDIR)/$(DEMO)/home $(DEMO)/venv/bin/python examples/demo.py

$(DEMO)/installed: pyproject.toml package.json $(BACKEND) $(FRONTEND)
	@command -v node >/dev/null || { echo "Node.js 20 or newer is needed to build the extension."; exit 1; }
	test -x $(DEMO)/venv/bin/python || $(PYTHON) -m venv $(DEMO)/venv
	$(DEMO)/venv/bin/python -m pip install --quiet uv
	$(DEMO)/venv/bin/uv pip install --quiet --python $(DEMO)/venv/bin/python ".[demo]"
	@touch $@

# --- development --------------------------------------------------------------------------
install: $(VENV)/built

$(VENV)/installed: pyproject.toml package.json yarn.lock
	@command -v node >/dev/null || { echo "Node.js 20 or newer is needed to build the extension."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable ".[test,demo]"
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jlpm install --immutable
	@touch $@

$(VENV)/built: $(VENV)/installed $(FRONTEND)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jlpm build
	$(BIN)/jupyter-builder develop --overwrite .
	$(BIN)/jupyter server extension enable --sys-prefix jupyter_mlops
	@touch $@

# --- tests --------------------------------------------------------------------------------
test: lint test-python test-js test-ui

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jlpm lint

# Two halves of about the same length, side by side: one mostly computes, the other mostly waits.
BESIDE := $(addprefix tests/,pipeline runtime capture registry image attest service environment)

test-python: install
	@log=$$(mktemp); \
	$(BIN)/python -m pytest $(BESIDE) >$$log 2>&1 & beside=$$!; \
	$(BIN)/python -m pytest $(addprefix --ignore=,$(BESIDE)); rest=$$?; \
	wait $$beside; half=$$?; cat $$log; rm -f $$log; \
	exit $$((rest ? rest : half))

test-fast: install  ## no network, no tools, under a minute
	$(BIN)/python -m pytest -n auto -m "not slow and not network and not docker and not registry and not skopeo"

test-js: install
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jlpm test

test-ui: install
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python ui-tests/run.py

soak: install
	$(BIN)/python -m tests.malformed --count 20000
	MLOPS_PROGRAMS=20000 $(BIN)/python -m pytest tests/pipeline/test_programs.py
	MLOPS_MUTATIONS=200000 $(BIN)/python -m pytest tests/pipeline/test_mutations.py
	MLOPS_KILLS=50 $(BIN)/python -m pytest tests/registry/test_kills.py
	$(BIN)/python -m tests.runtime.soak --seconds 600 --malformed 100000

bench: install
	$(BIN)/python -m benchmarks

docs: install
	$(BIN)/uv pip install --quiet --python $(BIN)/python ".[docs]"
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(DEMO) $(VENV) lib node_modules jupyter_mlops/labextension
