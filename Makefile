# Two commands for a newcomer: `make serve` and `make test`. Both need only Python 3.11+ and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: serve test check format ledger soak audit spark bench bench-check bench-accept fuzz clean

serve: $(READY)  ## start the service on 127.0.0.1:8192 with the embedded log and demo streams
	$(BIN)/sluiceway serve $(ARGS)

test: $(READY)  ## run every test
	$(BIN)/python -m pytest $(ARGS)

check: $(READY)  ## format, lint, types, layers, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.supply.audit

audit: $(READY)  ## ask a database of known vulnerabilities about every pinned version
	SLUICEWAY_REQUIRE_AUDIT=1 $(BIN)/python -m tests.supply.audit

format: $(READY)  ## let the formatter and the safe fixes have their way
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ledger: $(READY)  ## every Kafka fault under load; its accounts go to docs/reliability.md
	@rm -f .ledger
	LEDGER_FILE=$(CURDIR)/.ledger SLUICEWAY_REQUIRE_KAFKA=1 $(BIN)/python -m pytest tests/kafka/test_ledger.py tests/kafka/test_ledger_cluster.py tests/kafka/test_ledger_mock.py $(ARGS)
	$(BIN)/python -m tests.kafka.report .ledger docs/reliability.md

soak: $(READY)  ## minutes of random faults and abuse, then the accounts: make soak ARGS="--minutes 10 --seed 7"
	$(BIN)/python -m tests.soak $(ARGS)

spark: $(READY)  ## install PySpark, for the tests of `sluiceway migrate verify --engine spark`
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[spark]'

bench: $(READY)  ## measure, beside a plain baseline; needs wrk
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-check: $(READY)  ## fail if an event needs over 5 % more instructions than recorded; needs valgrind
	$(BIN)/python -m tests.benchmarks.instructions --check

bench-accept: $(READY)  ## record the instructions that an event needs now
	$(BIN)/python -m tests.benchmarks.instructions --accept

fuzz: $(READY)  ## look for inputs that break the decoders, a minute for each; installs atheris
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[atheris]' || true
	$(BIN)/python -m tests.fuzz $(ARGS)

clean:
	rm -rf $(VENV) dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Sluiceway needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which with: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
