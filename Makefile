# The targets of the project; `make` lists them. They need Python 3.11 or newer with venv and pip, and nothing else.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export UV_SYSTEM_CERTS := 1
export UV_LINK_MODE := copy

.DEFAULT_GOAL := help
.PHONY: help demo dev test lint drill bench shots lock

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Run the product with a demo world (PORT=8000, FRESH=1 starts over, EMAIL_URL=smtp://host:25)
	@PORT=$(PORT) FRESH=$(FRESH) DJANGO_SETTINGS_MODULE=config.settings.demo exec $(BIN)/python manage.py demo

dev: $(VENV)/.dev ## Run it for development: reloads on change, errors shown, an empty database (PORT=8000)
	@PORT=$(PORT) DJANGO_SETTINGS_MODULE=config.settings.dev exec $(BIN)/python manage.py demo --no-seed --reload

test: $(VENV)/.dev ## Run the tests on SQLite (ARGS="tests/cascade -n0" for some of them)
	@$(BIN)/pytest -n auto $(ARGS)

lint: $(VENV)/.dev ## Check style, types, layers, templates, migrations, translations and locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python manage.py makemigrations --check --dry-run
	@for po in $$(find locale -name '*.po' 2>/dev/null); do $(BIN)/pybabel -q compile -i "$$po" -o /dev/null || exit 1; done
	@if grep -nE '://|^ *--(index|extra|find|trusted)' requirements*.lock; then echo "A lock names a host" >&2; exit 1; fi
	$(BIN)/mypy .

drill: $(VENV)/.dev ## Kill workers in the middle of a wave and count what arrived
	@RUN_DRILLS=1 $(BIN)/pytest -n0 tests/cascade/test_kill_drill.py

bench: $(VENV)/.dev ## Measure messages per second of a 10,000-recipient wave, next to Django's own sending
	@$(BIN)/python -m bench $(ARGS)

shots: $(VENV)/.dev ## Take the pictures of README and docs from a demo that runs (PORT=8000)
	@$(BIN)/python docs/shots.py http://localhost:$(PORT)

lock: $(VENV)/.dev ## Resolve pyproject.toml anew into requirements.lock and requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml $(LOCK) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --group dev -c requirements.lock -o requirements-dev.lock
LOCK = --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url $(ARGS)

# --- the environment: made once, brought up to date when a lock changed -----------------------------------------------

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Onward needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || echo none)." \
		"Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module does not work here; Debian and Ubuntu have it in the package python3-venv." >&2; exit 1; }

# uv installs the lock in seconds; where it cannot run, pip installs the same hashes.
define install
	@if [ -L $(VENV) ]; then echo "$(VENV) is a link: left as it is"; exit 0; fi; \
	start=$$(date +%s); echo "Installing the packages of $(1)"; \
	awk '/^uv==/ {on=1} /^[^ ]/ && !/^uv==/ {on=0} on' requirements-dev.lock > $(VENV)/uv.txt; \
	if { cmp -s $(VENV)/uv.txt $(VENV)/uv.installed || { $(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/uv.txt \
			&& cp $(VENV)/uv.txt $(VENV)/uv.installed; }; } \
		&& $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(1); then :; \
	else echo "uv could not do it; installing with pip"; $(BIN)/python -m pip install --quiet --require-hashes -r $(1) || exit 1; fi; \
	echo "Packages ready ($$(( $$(date +%s) - start )) s)"
endef

# A developer's environment holds the demo's packages too: do not take the others away from it.
$(VENV)/.run: requirements.lock | $(BIN)/python
	@if [ -e $(VENV)/.dev ]; then $(MAKE) --no-print-directory $(VENV)/.dev; else $(MAKE) --no-print-directory install-run; fi
	@[ -L $(VENV) ] || touch $@

$(VENV)/.dev: requirements.lock requirements-dev.lock | $(BIN)/python
	$(call install,requirements-dev.lock)
	@[ -L $(VENV) ] || touch $@

.PHONY: install-run
install-run:
	$(call install,requirements.lock)
