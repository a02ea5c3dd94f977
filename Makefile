# Koatsu. Every target makes .venv by itself when it is missing or when a lock file changed.
# Needs: make, git, python3 (3.11 or newer) and python3-venv.

.PHONY: help demo test cover soak lint docs bench lock clean
.DEFAULT_GOAL := help
# Programs that came with .venv (node, where the machine has none) are found before the machine's own.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 14

demo: ## an emulated site, the EMS and its page on http://127.0.0.1:8028
	@scripts/setup run && exec .venv/bin/koatsu demo

test: ## every check and every test; what could not run is counted and named
	@scripts/setup dev && exec scripts/check

cover: ## the same, and which lines no test has run; takes twice as long
	@scripts/setup dev && exec scripts/check --cover

lint: ## ruff, mypy and the import contract only
	@scripts/setup dev && exec scripts/check --lint

docs: ## do the documents say what the program does?
	@scripts/setup dev && exec .venv/bin/pytest -q tests/test_docs.py

soak: ## the property tests with many more examples, and the tests that take minutes
	@scripts/setup dev && exec .venv/bin/pytest --soak -n 2 --dist loadfile

bench: ## the figures of docs/benchmarks.md, each a ratio measured in this run
	@scripts/setup dev && exec .venv/bin/python -m benchmarks

lock: ## resolve the dependencies anew (UPGRADE=1: newer versions) and write the hashed locks
	@scripts/setup run && exec scripts/lock

clean: ## remove .venv and everything that was made here
	rm -rf .venv tests/peers/node_modules artifacts dist build htmlcov .coverage .coverage.* \
	  .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
