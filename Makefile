# `make demo` and `make test` need only python3, make and a C++ compiler: they make .venv, install, build, and run.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CPP    := $(shell find cpp bindings -name "*.[ch]pp")
SOURCES := $(shell find cpp bindings CMakeLists.txt pyproject.toml constraints.txt -type f 2>/dev/null)

.PHONY: help handbook demo test test-slow test-all check fuzz coverage format bench-tokenizer bench-training clean
help:
	@echo "make demo        install, then run the whole line in about five minutes"
	@echo "make test        install, then run the tests"
	@echo "make test-slow   the tests that take more than ten seconds each as well"
	@echo "make test-all    those too that take hours: run by hand before an issue that touches them closes"
	@echo "make check       lint, types, layers"
	@echo "make fuzz        readers, subcommands and native code on damaged input, FUZZ_SECONDS=3600 each"
	@echo "make coverage    lines of src/hornbook that the tests and the quick demo run"
	@echo "make bench-tokenizer   train and encode beside the fastest peers"
	@echo "make bench-training    train and generate beside transformers"
	@echo "make handbook    the pages of docs/handbook, from the code and from the records of studies"
	@echo "make format      format the code"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip

$(VENV)/.installed: $(SOURCES) | $(BIN)/python
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test,dev]"
	@touch $@

demo: $(VENV)/.installed
	$(BIN)/hornbook demo

# Two processes of one thread each do more in a second than one of two threads: most tests are small.
# They start some 600 processes and compile every module of the tests, so compiled modules are kept.
TEST_WORKERS ?= 2
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist worksteal --durations=20

test: $(VENV)/.installed-test
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.installed-test
	$(PYTEST) -m "not hours"

test-all: $(VENV)/.installed-test
	$(PYTEST)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CPP)
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python tools/write_stubs.py --check
	$(BIN)/python tools/check_includes.py

FUZZ_SECONDS ?= 3600
fuzz: $(VENV)/.installed-dev
	tools/fuzz.sh tokenizer $(FUZZ_SECONDS)
	tools/fuzz.sh kernels $(FUZZ_SECONDS)
	tools/sanitize.sh
	PYTHONPATH=tests $(BIN)/python tests/harness/fuzz_subcommands.py --seconds $(FUZZ_SECONDS)

coverage: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow"
	$(BIN)/coverage run -m hornbook demo --quick --directory build/coverage-demo
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

handbook: $(VENV)/.installed-test
	$(BIN)/python tools/handbook.py

SHARED ?= ../shared
bench-tokenizer: $(VENV)/.installed-test
	$(BIN)/python -m pip install -q gigabpe==0.1.0 gigatoken==0.10.0
	$(BIN)/python benchmarks/bench_tokenizer_train.py --source $(SHARED)/data --plot docs/figures/tokenizer_train.svg
	$(BIN)/python benchmarks/bench_tokenizer_encode.py --source $(SHARED)/data --compare --plot docs/figures/tokenizer_encode.svg

bench-training: $(VENV)/.installed-test
	$(BIN)/python -W ignore benchmarks/bench_training.py
	$(BIN)/python -W ignore benchmarks/bench_training.py --size small
	$(BIN)/python -W ignore benchmarks/bench_generation.py

clean:
	rm -rf build dist $(VENV) .pytest_cache .ruff_cache
