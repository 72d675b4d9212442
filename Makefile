# Each target sets up what it needs; `make demo` or `make test` may be the first command after a clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PACKAGE := $(VENV)/.package
TOOLS := $(VENV)/.tools
PROFILE ?= slow

.PHONY: demo test check docs format bench parity clean

$(PACKAGE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; run: make PYTHON=python3.11 " )'
	@echo "Setting up $(VENV) with the package (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable '.[cli,emulator]'
	@touch $@

$(TOOLS): $(PACKAGE)
	@echo "Installing what the tests and checks need, about 700 MB (once) ..."
	@$(PIP) --upgrade 'pip>=25.1'
	@$(PIP) --group dev --group bench --editable '.[cli,emulator]'
	@touch $@

demo: $(PACKAGE)
	@$(BIN)/python examples/demo.py

test: $(TOOLS)
	$(BIN)/python -m pytest -n auto -m "not slow" $(TESTS)

# What `test` leaves out, and each law with all its examples (PROFILE=fast: with few).
check: $(TOOLS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --hypothesis-profile=$(PROFILE)

format: $(TOOLS)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(TOOLS)
	@$(BIN)/python benchmarks/run.py

parity: $(TOOLS)
	@$(BIN)/python parity/start.py

clean:
	rm -rf .venv .venv-lowest* .venv-newest .venv-old-pytest dist build .pytest_cache .mypy_cache .ruff_cache

# The documentation site, in build/site.
docs: $(TOOLS)
	@$(BIN)/python scripts/build_site.py
