# What a person does in this checkout, one word each. `make help` lists the words.
# Files under .venv/.stamps say what is done already, so that nothing is done twice.

BIN := .venv/bin
STAMPS := .venv/.stamps
STEP := tools/step
CLIENT := chat/static/manifest.json
CLIENT_SOURCES := $(shell find web \( -name node_modules -o -name templates -o -name '.*' \) -prune -o -print)
SHELL_SCRIPTS = .ci/run $(shell grep -l "^.!/bin/sh" tools/*)
# More options for pytest: make test ARGS="-k rooms"
ARGS :=
# pytest's processes. More than the machine has cores makes the browser tests slow.
WORKERS := 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: run test faults check format bench wheel lock clean help

run: $(STAMPS)/server $(CLIENT) ## Install what is missing, then serve on http://127.0.0.1:8000
	@exec $(BIN)/roomful serve

test: $(STAMPS)/development $(STAMPS)/browser $(CLIENT) ## Run all tests (ARGS="-k rooms" runs some)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

faults: $(STAMPS)/development $(CLIENT) ## Kill, freeze and cut everything for ten minutes (FAULTS_SEED=… repeats)
	@$(BIN)/python -m pytest tests/faults/storm.py $(ARGS)

check: $(STAMPS)/development web/node_modules/.stamp ## Format, lints, types, import floors, file sizes
	@$(STEP) "Python format" $(BIN)/ruff format --check --output-format concise
	@$(STEP) "Python lint" $(BIN)/ruff check --output-format concise
	@$(STEP) "Python types" $(BIN)/mypy
	@$(STEP) "Import floors" $(BIN)/lint-imports
	@$(STEP) "House rules" $(BIN)/python tools/house_rules.py
	@$(STEP) "Shell scripts" $(BIN)/shellcheck $(SHELL_SCRIPTS)
	@test ! -x $(BIN)/hadolint || $(STEP) "Dockerfile" $(BIN)/hadolint Dockerfile
	@tools/with-node $(STEP) "Browser client" npm --prefix web run check

format: $(STAMPS)/development ## Put the Python code into its one format
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(STAMPS)/bench ## Measure under load (ARGS="--help" says what)
	@tools/with-node $(BIN)/python -m bench $(ARGS)

wheel: $(STAMPS)/development $(CLIENT) ## Build dist/roomful-*.whl, which needs neither checkout nor Node
	@rm -rf build dist
	@$(STEP) "Building the wheel" $(BIN)/python -m build --wheel --no-isolation
	@ls dist/*.whl

lock: $(STAMPS)/development ## Lock the newest versions that setup.cfg allows
	@tools/lock

clean: ## Remove all that make has made; the data folder stays
	@rm -rf .venv build dist *.egg-info chat/static web/node_modules .*_cache .hypothesis
	@find chat migrations tests tools bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

# A virtual environment dies when it is moved, or when its Python is removed.
ifneq ($(shell test -x $(BIN)/python && cat $(STAMPS)/place),$(realpath .))
.PHONY: $(STAMPS)/place
endif
$(STAMPS)/place:
	@tools/make-venv

$(STAMPS)/server: $(STAMPS)/place setup.cfg setup.py pyproject.toml requirements/server.txt requirements/embedded.txt
	@$(STEP) "Installing the server's packages" tools/pip-install server
	@$(STEP) "Installing a private PostgreSQL" tools/install-postgres
	@$(STEP) "Installing Roomful from this checkout" $(BIN)/python -m pip install --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/development: $(STAMPS)/server requirements/development.txt
	@$(STEP) "Installing the tools for development" tools/pip-install development
	@touch $@

$(STAMPS)/bench: $(STAMPS)/development requirements/bench.txt
	@$(STEP) "Installing what draws the plot" tools/pip-install bench
	@touch $@

$(STAMPS)/browser: $(STAMPS)/development
	@tools/find-browser
	@touch $@

web/node_modules/.stamp: web/package.json web/package-lock.json | $(STAMPS)/place
	@tools/with-node $(STEP) "Installing the browser client's packages" npm --prefix web ci
	@touch $@

$(CLIENT): web/node_modules/.stamp $(CLIENT_SOURCES)
	@tools/with-node $(STEP) "Building the browser client" npm --prefix web run build
	@touch $@
