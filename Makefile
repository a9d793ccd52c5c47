# Every target works on a machine that has Python 3.11 or newer with venv and pip, and make: the environment is made
# here, from the locked lists in requirements/, and made again when they change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: browser help demo test check stack integration soak bench docs lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/run.stamp ## the main job on real house sales, with a planted unit error: what it finds, as a table
	$(BIN)/mlvitals demo

test: check ## lint, types, imports and the test suite: every push, at most ten minutes
	$(BIN)/pytest -n 2 -m "not integration and not soak"

check: $(VENV)/dev.stamp ## lint, formatting, types, direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

browser: ## a Chromium for the report's tests, where there is none and this machine lets us install one (Debian, root)
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		test "$$(id -u)" -eq 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
		echo "make browser: left out: install Chromium by hand; the tests that need it are skipped until then"

stack: ## the real servers of the integration tests, built from pinned sources into a cache outside the tree: what can be had here
	@$(PYTHON) -m tests.stack

integration: $(VENV)/dev.stamp ## the tests that need real servers, as far as this machine has them
	$(call run_marked,integration)

soak: $(VENV)/dev.stamp ## the long tests: kills, simulations, large inputs
	$(call run_marked,soak)

bench: $(VENV)/dev.stamp ## the benchmarks, as ratios within one run
	@answer=0; for benchmark in $(sort $(wildcard benchmarks/*.py)); do \
		echo "== $$benchmark"; PYTHONPATH=. $(BIN)/python $$benchmark || answer=1; \
	done; exit $$answer

docs: $(VENV)/dev.stamp ## the documents as pages, in build/docs; a broken link is an error
	$(BIN)/sphinx-build -q -n -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

lock: $(VENV)/dev.stamp ## write requirements/ anew from pyproject.toml (`make lock UPGRADE=--upgrade` takes newer versions)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(call compile,dev,--extra report --group dev)
	$(call compile,run,--extra report --constraint requirements/dev.txt)

$(VENV)/%.stamp: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlvitals needs Python 3.11 or newer: make PYTHON=python3.x")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Runs the tests with a marker; pytest's 5 says that none has it, which is said in words and is no failure.
define run_marked
	@$(BIN)/pytest -m $(1) --collect-only -q >$(VENV)/$(1).txt 2>&1; answer=$$?; \
	if [ $$answer -eq 5 ]; then echo "make $(1): left out: nothing, for no test is marked $(1) yet"; \
	elif [ $$answer -ne 0 ]; then cat $(VENV)/$(1).txt; exit $$answer; \
	else echo "make $(1): what this machine cannot run is listed below as SKIPPED, with its reason"; $(BIN)/pytest -m $(1); fi
endef

# Locks with hashes for every platform and every Python from 3.11 on.
define compile
	$(BIN)/uv pip compile pyproject.toml --group build $(2) $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
		--no-annotate --custom-compile-command "make lock" --quiet -o requirements/$(1).txt
endef
