# Everything a user or a scheduler does with this project, from a machine with Python, make and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?=
PARAMS ?=
DEPTH ?=
NUM ?= 60
SEED ?= 0
YEARS ?= 10
RUN_FLAGS := $(if $(ENV),--env=$(ENV)) $(if $(PARAMS),--params "$(PARAMS)")

export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true
# uv compiles nothing by itself: what isn't kept when it is first loaded would be compiled at every start.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install forecast sentiment compare tune internals test test-changed test-slow fuzz mutations simulate coverage lint measure format lock viz docs graph docs-serve dist mlflow notebook airflow clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# One lock for whatever is installed: as constraints it gives every version, and a package without its hash is refused.
# uv takes a fraction of pip's time. It is the locked one on every machine, fetched by pip, whose settings it doesn't read:
# where they name an index or certificates, it is told.
PIP := $(BIN)/pip --disable-pip-version-check
ask_pip = $$($(PIP) config list | sed -nE "s/^(global|install)\.$(1)='(.*)'$$/\2/p" | tail -n 1)
UV = index="$${UV_DEFAULT_INDEX:-$${UV_INDEX_URL:-$${PIP_INDEX_URL:-$(call ask_pip,index-url)}}}"; \
	cert="$${SSL_CERT_FILE:-$${PIP_CERT:-$(call ask_pip,cert)}}"; \
	[ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; [ -z "$$cert" ] || export SSL_CERT_FILE="$$cert"; $(BIN)/uv
INSTALL = @$(UV) pip install --python $(BIN)/python --require-hashes --constraints requirements.lock --requirements pyproject.toml
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file
COMPILE_KERAS = @$(BIN)/python -W ignore -c 'from rnn_pipelines.networks.keras_start import quicken_start as q; q(); import rnn_pipelines.sentiment.methods.training'
NEEDED := $(VENV)/$(or $(filter postgres,$(ENV)),project).installed

install: $(VENV)/all.installed ## Create .venv with all extras

$(VENV)/uv.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d: make PYTHON=python3.12 install" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	sed -nE '/^(setuptools|uv)==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt
	$(PIP) install --quiet --require-hashes --requirement $(VENV)/uv.txt
	@touch $@

$(VENV)/project.installed: $(VENV)/uv.installed
	$(INSTALL)
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@echo "Compiling what every command loads"
	@$(BIN)/kedro registry list >/dev/null
	@$(BIN)/python -W ignore -c 'import plotly.graph_objects, utilsforecast.losses, rnn_pipelines.forecast.interface'
	@touch $@

$(VENV)/keras.installed: $(VENV)/project.installed
	$(INSTALL) --extra keras
	$(COMPILE_KERAS)
	@touch $@

$(VENV)/all.installed: $(VENV)/project.installed
	$(INSTALL) --all-extras
	$(COMPILE_KERAS)
	@touch $@

# What one of the extras in pyproject.toml needs beside the project: docs, viz, notebook, mlflow, postgres, tune.
$(VENV)/%.installed: $(VENV)/project.installed
	$(INSTALL) --extra $*
	@touch $@

forecast: $(NEEDED) ## Forecast a series; PARAMS="forecast.source.path=my.csv,..."
	$(BIN)/kedro run --pipelines=forecast $(RUN_FLAGS)

sentiment: $(NEEDED) $(VENV)/keras.installed ## Classify film reviews; PARAMS="sentiment.source.archive=...,..."
	$(BIN)/kedro run --pipelines=sentiment $(RUN_FLAGS)

compare: $(NEEDED) $(VENV)/keras.installed ## Compare LSTM and GRU, in an hour; in five minutes: PARAMS="compare.plan.tasks=noisy_sine temperature,compare.plan.seeds=3"
	$(BIN)/kedro run --pipelines=compare $(RUN_FLAGS)

pretrain: $(NEEDED) $(VENV)/keras.installed ## Train the pretrained networks again, on generated series; PARAMS="pretrain.seed=1,..."
	$(BIN)/kedro run --pipelines=pretrain $(RUN_FLAGS)

tune: $(VENV)/tune.installed ## Search for better parameters of forecast; PARAMS="tune_forecast.num_samples=50,..."
	$(BIN)/kedro run --pipelines=tune_forecast $(RUN_FLAGS)

internals: $(NEEDED) $(VENV)/keras.installed ## Show the gates and states of trained networks
	$(BIN)/kedro run --pipelines=internals $(RUN_FLAGS)

test: lint ## Lint, then all tests that take seconds
	$(BIN)/pytest -m "not slow" -n auto

test-changed: install ## The tests that a change against main can reach; with DEPTH=1, those that import it directly
	tests=$$($(BIN)/python tests/support/changed.py $(DEPTH)) && [ -z "$$tests" ] || $(BIN)/pytest -m "not slow" -n auto $$tests

test-slow: install airflow ## The tests that take minutes
	$(BIN)/pytest -m slow -n auto

fuzz: install ## Draw new cases in all fuzzers, instead of those of every run; the first seed is printed
	first=$$(date +%s) && echo "first seed $$first" && RNN_FUZZ_FIRST=$$first $(BIN)/pytest -m "slow or not slow" -n auto \
		--hypothesis-seed=$$first -k "fuzz or histories or source_truth or negative_series or error_sizes"

mutations: install ## Break NUM lines of the source at random, and count those that the tests find
	$(BIN)/python tests/support/mutations.py $(NUM)

simulate: install ## Simulate YEARS of nights with the faults of SEED, and print the shortest history that fails
	PYTHONPATH=tests/support $(BIN)/python tests/simulation/simulate.py --seed $(SEED) --years $(YEARS)

# That of the fast tests, because measuring slows whole runs down.
coverage: install ## The lines that the tests that take seconds run
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow" -n auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: install ## ruff, import contracts, types
	$(BIN)/ruff format --check src tests benchmarks deploy docs
	$(BIN)/ruff check src tests benchmarks deploy docs
	$(BIN)/lint-imports
	$(BIN)/mypy

measure: install ## Print measures of the source beside their goals
	@$(BIN)/python tests/support/measures.py

format: install ## Format the code
	$(BIN)/ruff format src tests benchmarks deploy docs
	$(BIN)/ruff check --fix src tests benchmarks deploy docs

lock: $(VENV)/uv.installed ## Renew the locked versions
	@$(UV) pip compile pyproject.toml --all-extras $(LOCK) requirements.lock
	@$(UV) pip compile deploy/airflow/requirements.txt $(LOCK) deploy/airflow/requirements.lock
	@$(UV) pip compile .github/audit/requirements.txt $(LOCK) .github/audit/requirements.lock

viz: $(VENV)/viz.installed ## Open the graph, the plots and the metrics in kedro-viz
	$(BIN)/kedro viz run

docs: $(VENV)/docs.installed ## Renew the generated pages, and build the site into site/; a broken link is an error
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/try_page.py
	$(BIN)/python docs/render_notebooks.py
	$(BIN)/python docs/course_figures.py
	$(BIN)/zensical build --strict --clean
	$(BIN)/python docs/finish_site.py

graph: $(VENV)/viz.installed ## Add the graph of kedro-viz to the site, with previews of the last runs, as site/graph/
	rm -rf site/graph
	$(BIN)/kedro viz build --include-previews
	$(BIN)/python docs/finish_site.py build

docs-serve: $(VENV)/docs.installed ## Show the site on port 8000, renewed at every change
	$(BIN)/python docs/render_notebooks.py
	$(BIN)/python docs/course_figures.py
	$(BIN)/zensical serve

dist: $(VENV)/project.installed ## Build the wheel and the sdist into dist/
	@$(UV) build --no-build-isolation --python $(BIN)/python --out-dir dist

mlflow: $(VENV)/mlflow.installed ## Open the pages of MLflow for mlflow.db
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db

notebook: $(VENV)/notebook.installed $(VENV)/keras.installed ## Open the notebooks
	$(BIN)/kedro jupyter lab notebooks

airflow: .airflow/installed ## Install Airflow 3 into .airflow, an environment of its own

.airflow/installed: deploy/airflow/requirements.lock | $(VENV)/uv.installed
	$(PYTHON) -m venv --clear .airflow
	@$(UV) pip install --python .airflow/bin/python --compile-bytecode --require-hashes --requirements deploy/airflow/requirements.lock
	@touch $@

clean: ## Remove caches and files of tests, but no results
	rm -rf .test_data benchmarks/.data .viz build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage*
	find src tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +
