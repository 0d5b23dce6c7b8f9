# Two commands do everything: `make run` and `make test`. The rest is listed by `make`.

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/.run ## start the server on 127.0.0.1:8080 for trying out (config/quickstart.toml)
	@exec $(BIN)/python -m regserver serve --config config/quickstart.toml

.PHONY: test
test: .venv/.test ## run the whole test suite, against real peers on loopback
	@tests/peer/install
	$(BIN)/python -m pytest

.PHONY: check
check: .venv/.test ## lint, types, architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

.PHONY: format
format: .venv/.test ## put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: figures
figures: ## size and shape of the code; beside another version: BEFORE=../its-checkout
	@$(PYTHON) -m tests.figures $(BEFORE)

# Measurements print ratios against peers that run beside, and with BEFORE=../its-checkout against an earlier version;
# no test depends on them.
export BEFORE
.PHONY: bench bench-front bench-live bench-rooms bench-steps bench-directory
bench: bench-front bench-rooms bench-live bench-steps bench-directory ## all measurements; alone: bench-front, -rooms, -live, -steps, -directory
bench-front bench-rooms bench-live bench-steps bench-directory: .venv/.test
	$(BIN)/python -m benchmarks.$(@:bench-%=%)

.PHONY: autobahn
autobahn: .venv/.test ## the Autobahn test suite against the WebSocket sessions
	$(BIN)/python -m benchmarks.front.autobahn

.PHONY: fuzz-front
fuzz-front: .venv/.test ## a hundred thousand hostile inputs for the front door
	$(BIN)/python -m benchmarks.front.fuzz

.PHONY: crash-rooms
crash-rooms: .venv/.test ## kill the server 200 times under load and check that nothing acknowledged is lost
	$(BIN)/python -m benchmarks.rooms.crash

.PHONY: binary
binary: build/binary/.ready ## build one executable: dist/regserver
	build/binary/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .
	build/binary/bin/pyinstaller --noconfirm --clean --distpath dist --workpath build/pyinstaller packaging/regserver.spec

.PHONY: clean
clean: ## remove what was built; the virtual environment and var/ stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp per set of packages, so that a warm start installs nothing.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@ .venv/.run

# The binary is built from an environment of its own: whatever lies in the other one would be packed as well.
build/binary/.ready: pyproject.toml
	$(PYTHON) -m venv build/binary
	build/binary/bin/python -m pip install --quiet --disable-pip-version-check '.[binary]'
	@touch $@
