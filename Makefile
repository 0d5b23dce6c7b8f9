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

.PHONY: run-postgres
run-postgres: .venv/.test ## start two nodes on a temporary PostgreSQL, at 127.0.0.1:8080 and :8081, for trying out
	@exec $(BIN)/python -m tests.peer.run_postgres

# What failed beside other tests runs once more, alone: it passes where the machine was too busy for it. Both outcomes are printed.
ALONE = { [ $$? = 1 ] && echo "what failed, once more and alone:" && $(BIN)/python -m pytest -v --last-failed --last-failed-no-failures none; }

.PHONY: test
test: .venv/.test ## run the whole test suite, against real peers on loopback
	@tests/peer/install
	@$(BIN)/python -m compileall -q regserver tests # hundreds of servers start: none shall compile, whatever PYTHONDONTWRITEBYTECODE says
	@# More processes than cores, since many tests wait.
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder || $(ALONE)

.PHONY: check
check: .venv/.test ## check style, types and architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

.PHONY: format
format: .venv/.test ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: figures
figures: ## print the size and shape of the code, and of another version: BEFORE=../its-checkout
	@$(PYTHON) -m tests.figures $(BEFORE)

# Measurements print ratios to other servers in the same run, and with BEFORE=../its-checkout to an earlier version;
# no test depends on them.
export BEFORE
.PHONY: bench bench-front bench-live bench-rooms bench-steps bench-directory bench-account bench-abuse bench-driver bench-testing bench-store bench-nodes
bench: bench-front bench-rooms bench-live bench-steps bench-directory bench-account bench-abuse bench-driver bench-testing bench-store bench-nodes ## run all measurements; single ones: bench-front, -rooms, -live, -steps, -directory, -account, -abuse, -driver, -testing, -store, -nodes
bench-front bench-rooms bench-live bench-steps bench-directory bench-account bench-abuse bench-driver bench-testing bench-store bench-nodes: .venv/.test
	$(BIN)/python -m benchmarks.$(@:bench-%=%)

.PHONY: bench-page
bench-page: .venv/.test ## measure the page in Chromium: first paint, bytes, tasks with 1,000 posts, how soon a post is heard
	$(BIN)/python -m benchmarks.page

.PHONY: autobahn
autobahn: .venv/.test ## run the Autobahn test suite against the WebSocket sessions
	$(BIN)/python -m benchmarks.front.autobahn

.PHONY: fuzz-front
fuzz-front: .venv/.test ## send a hundred thousand hostile inputs to the front door
	$(BIN)/python -m benchmarks.front.fuzz

.PHONY: schemathesis
schemathesis: .venv/.test ## try every operation of the OpenAPI document with some thousand inputs, allowed and not
	$(BIN)/python -m tests.peer.schema_fuzz

.PHONY: crash-rooms
crash-rooms: .venv/.test ## kill the server 200 times under load and check that nothing acknowledged is lost
	$(BIN)/python -m benchmarks.rooms.crash

.PHONY: crash-accounts
crash-accounts: .venv/.test ## kill the server 200 times amid changes of accounts and check that none is half done
	$(BIN)/python -m tests.crash --accounts

.PHONY: crash-client
crash-client: .venv/.test ## kill, stop and slow the server 200 times under the Python client: nothing missed, nothing twice
	$(BIN)/python -m tests.crash --client

.PHONY: crash-nodes
crash-nodes: .venv/.test ## kill two nodes 200 times, and their PostgreSQL now and then, and compare what every socket heard
	$(BIN)/python -m tests.crash --nodes

.PHONY: faults-nodes
faults-nodes: .venv/.test ## stop PostgreSQL for ten seconds under two nodes, let a standby take over, cut the link
	STOPPED_SECONDS=10 $(BIN)/python -m pytest -q tests/system/test_node_faults.py

.PHONY: try-backup
try-backup: .venv/.test ## back up 100,000 accounts while people sign in, on SQLite and PostgreSQL, full disk included
	$(BIN)/python -m tests.system.backup_trial

.PHONY: blocking-client
blocking-client: .venv/.test ## make the blocking Python client from the asynchronous one
	$(BIN)/python -m tests.client.blocking_maker

.PHONY: binary
binary: build/binary/.ready ## build one executable: dist/regserver
	build/binary/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .
	@# Modules are stored as they are: to inflate them takes a tenth of each start, and pack.py compresses the whole anyway.
	PYINSTALLER_ZLIB_COMPRESSION_LEVEL=0 build/binary/bin/pyinstaller --noconfirm --clean --distpath build/folder --workpath build/pyinstaller packaging/regserver.spec
	build/binary/bin/python packaging/pack.py build/folder/regserver dist/regserver

.PHONY: deb
deb: binary ## build the Debian package: dist/regserver.deb
	build/binary/bin/python packaging/deb.py dist/regserver dist/regserver.deb

.PHONY: check-binary
check-binary: binary .venv/.test ## build the executable and try whether it serves
	$(BIN)/pytest -q tests/packaging/binary.py

.PHONY: first-hour
first-hour: deb .venv/.test ## build the package and run docs/deploy.md with it on an empty Debian: mail, TLS, backup, upgrade, restore
	$(BIN)/pytest -q tests/packaging/first_hour.py

.PHONY: clean
clean: ## remove build results; the virtual environment and var/ stay
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

# The binary has an environment of its own, since it packs every package of its environment.
build/binary/.ready: pyproject.toml
	$(PYTHON) -m venv build/binary
	build/binary/bin/python -m pip install --quiet --disable-pip-version-check '.[binary]'
	@touch $@
