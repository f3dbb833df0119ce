# Every command of this project; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The machine's own Python, 3.10 to 3.13; all else runs in .venv.
PYTHON ?= python3
PY := .venv/bin/python
DBT := .venv/bin/dbt
# Size of new demo sources: 1 is about 150 000 rows.
SCALE ?= 1
# Where `make docs` serves.
PORT ?= 8080
DATABASE ?= warehouse

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1 ~ /' | awk -F' ~ ' '{printf "%-16s %s\n", $$1, $$2}'

.PHONY: install
install: ## Make the virtual environment from requirements.lock
	@$(PYTHON) -B scripts/install.py requirements.lock

.PHONY: install-dev
install-dev: install
	@$(PYTHON) -B scripts/install.py requirements-dev.lock

.PHONY: demo
demo: install ## Run the main job on demo sources: extract, build, test, report (SCALE=1)
	@$(PY) scripts/demo.py --scale $(SCALE)

.PHONY: up
up: install ## Start the embedded Postgres
	@$(PY) scripts/server.py start

.PHONY: down
down: install ## Stop the embedded Postgres; its data stays
	@$(PY) scripts/server.py stop

.PHONY: tick
tick: up ## Let one more day happen in the demo sources
	@$(PY) scripts/demo_sources.py --tick --scale $(SCALE)

.PHONY: psql
psql: up ## Open psql in the warehouse (DATABASE=pagila for a demo source)
	@$(PY) scripts/server.py psql $(DATABASE)

.PHONY: docs
docs: up ## Serve dbt's documentation (PORT=8080)
	@$(DBT) docs generate
	@$(DBT) docs serve --port $(PORT)

.PHONY: docs-site
docs-site: up ## Write dbt's documentation as one page without a server: target/site/index.html
	@$(DBT) --quiet docs generate --static
	@mkdir -p target/site && cp target/static_index.html target/site/index.html

.PHONY: metrics
metrics: install-dev up ## Ask the semantic layer (METRICS=rental_revenue BY=metric_time__month)
	@$(DBT) --quiet parse
	@.venv/bin/mf $(if $(METRICS),query --quiet --metrics $(METRICS) $(if $(BY),--group-by $(BY) --order $(BY)),list metrics)

.PHONY: dictionary
dictionary: install ## Write docs/data-dictionary.md from the models' descriptions
	@$(PY) scripts/data_dictionary.py

.PHONY: doctor
doctor: ## Say what is wrong with this set-up and how to mend it
	@if [ -x $(PY) ]; then $(PY) scripts/doctor.py; else echo "There is no .venv yet: run \`make install\`."; exit 1; fi

.PHONY: hooks
hooks: install-dev ## Let git ask .pre-commit-config.yaml about each commit
	@.venv/bin/pre-commit install
	@.venv/bin/pre-commit install-hooks --config .pre-commit-fetched.yaml \
		&& .venv/bin/pre-commit install --config .pre-commit-fetched.yaml \
		|| echo "Not installed: what .pre-commit-fetched.yaml asks about a push; it could not be fetched."

.PHONY: check
check: install-dev ## Lint what changed, parse, run the tests that need no server: under a minute
	@$(PY) scripts/steps.py -j 2 \
		"tests=$(PY) -m pytest -q -m unit" \
		"SQL=$(PY) scripts/check_sql.py" \
		"Python=$(MAKE) --no-print-directory lint-python" \
		"files=$(MAKE) --no-print-directory lint-files"

.PHONY: test test-all
test: install-dev ## Lint everything and test it, whole journeys left out: a quarter of an hour
	@$(PY) scripts/steps.py "lint=$(MAKE) --no-print-directory lint" \
		"tests=$(MAKE) --no-print-directory test-python TESTS='not journey'"
	@echo "Left out: the journeys, such as a whole deploy. \`make test-all\` runs them too, as CI does."
test-all: install-dev ## Lint and test everything, as CI does
	@$(PY) scripts/steps.py "lint=$(MAKE) --no-print-directory lint" \
		"tests=$(MAKE) --no-print-directory test-python"

.PHONY: test-python test-sqlserver
test-python: install-dev ## Run all tests; on the Postgres MEDALLION_TEST_PGHOST, if it is set
	@$(PY) -m pytest $(XDIST) $(if $(TESTS),-m "$(TESTS)") --durations=20
test-sqlserver: install-dev ## Run the tests that need a SQL Server, on the one SQLSERVER_URL names
	@$(PY) -m pytest $(XDIST) -m sqlserver

XDIST := -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: install-dev ## Check the style, the types and the SQL, for both engines
	@$(PY) scripts/steps.py -j 2 $(foreach part,tsql sql python files,"$(part)=$(MAKE) --no-print-directory lint-$(part)")

.PHONY: lint-files lint-fetched lint-python lint-sql lint-tsql
# What .pre-commit-config.yaml asks of all files, without what the other parts of lint look at.
lint-files:
	@SKIP=ruff,ruff-format,mypy,conventions,dbt-bouncer,sqlfluff,tsql .venv/bin/pre-commit run --all-files
# What .pre-commit-fetched.yaml asks: needs GitHub and npm.
lint-fetched: install-dev
	@.venv/bin/pre-commit run --config .pre-commit-fetched.yaml --hook-stage pre-push --all-files
lint-python:
	@$(PY) -m ruff check --quiet scripts tests
	@$(PY) -m ruff format --check --quiet scripts tests
	@$(PY) -m mypy scripts tests/python
lint-sql:
	@$(PY) scripts/lint_sql.py lint --disable-progress-bar models snapshots analyses tests
lint-tsql:
	@$(PY) scripts/tsql_gate.py

.PHONY: format
format: install-dev ## Format the Python files
	@$(PY) -m ruff check --fix-only --quiet scripts tests
	@$(PY) -m ruff format --quiet scripts tests

.PHONY: bench
bench: install-dev ## Measure extraction against its limit, and refreshes (SCALE=1)
	@$(PY) scripts/bench_extract.py
	@$(PY) scripts/bench_build.py --scale $(SCALE)

.PHONY: bench-publish
bench-publish: install-dev ## Measure publishes against readers (SECONDS=20 for each variant)
	@$(PY) scripts/bench_publish.py --seconds $(or $(SECONDS),20)

.PHONY: refresh
refresh: install ## Extract, build and test what changed, check freshness
	@$(PY) scripts/refresh.py

.PHONY: lock
lock: install-dev ## Resolve the dependencies of pyproject.toml into the lock files
	.venv/bin/uv pip compile -q pyproject.toml --group dev $(LOCK_OPTIONS) -o requirements-dev.lock
	.venv/bin/uv pip compile -q pyproject.toml $(LOCK_OPTIONS) -c requirements-dev.lock -o requirements.lock

.PHONY: lock-check
lock-check: lock ## Fail if the lock files are not what pyproject.toml asks for
	@git diff --exit-code --stat -- requirements.lock requirements-dev.lock \
		|| { echo "The locks are behind pyproject.toml: commit what \`make lock\` wrote."; exit 1; }

# One lock for every platform and Python, with hashes and without the address of an index.
LOCK_OPTIONS := --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.PHONY: clean
clean: ## Remove all that was made, the server and its data included
	@$(PYTHON) -B scripts/clean.py
