# Everything a user or a scheduler does with this project, from a machine with Python, make and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?=
PARAMS ?=
RUN_FLAGS := $(if $(ENV),--env=$(ENV)) $(if $(PARAMS),--params "$(PARAMS)")

export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.PHONY: help install forecast sentiment compare internals test test-slow lint format lock viz mlflow notebook airflow clean

help: ## Show these lines
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/installed ## Create .venv and install the locked versions

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d: make PYTHON=python3.12 install" % sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

forecast: install ## Forecast, and say where the report is; PARAMS="forecast.source.path=my.csv,..."
	$(BIN)/kedro run --pipelines=forecast $(RUN_FLAGS)

sentiment: install ## Classify film reviews, and say where the report is; PARAMS="sentiment.source.archive=...,..."
	$(BIN)/kedro run --pipelines=sentiment $(RUN_FLAGS)

compare: install ## LSTM against GRU; PARAMS="compare.plan.tasks=adding_100,compare.plan.music=..."
	$(BIN)/kedro run --pipelines=compare $(RUN_FLAGS)

internals: install ## What the gates of trained networks do
	$(BIN)/kedro run --pipelines=internals $(RUN_FLAGS)

test: lint ## Lint, then all tests that take seconds
	$(BIN)/pytest -m "not slow" -n auto

test-slow: install airflow ## The tests that take minutes
	$(BIN)/pytest -m slow -n auto

lint: install ## ruff, import contracts, types
	$(BIN)/ruff format --check src tests benchmarks deploy
	$(BIN)/ruff check src tests benchmarks deploy
	$(BIN)/lint-imports
	$(BIN)/mypy

format: install ## Put the code into its one form
	$(BIN)/ruff format src tests benchmarks deploy
	$(BIN)/ruff check --fix src tests benchmarks deploy

lock: install ## Renew the locked versions
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile deploy/airflow/requirements.txt --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file deploy/airflow/requirements.lock

viz: install ## Open the graph, the plots and the metrics in kedro-viz
	$(BIN)/kedro viz run

mlflow: install ## Open what MLflow was told, where mlflow.yml leaves it in mlflow.db
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db

notebook: install ## Open the notebooks
	$(BIN)/kedro jupyter lab notebooks

airflow: .airflow/installed ## Install Airflow 3 into .airflow, beside the project's own environment

.airflow/installed: deploy/airflow/requirements.lock
	$(PYTHON) -m venv --clear .airflow
	.airflow/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/airflow/requirements.lock
	@touch $@

clean: ## Remove caches and what tests made, not your results
	rm -rf .test_data benchmarks/.data .viz build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find src tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +
