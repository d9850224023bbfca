# boothd. `make demo` runs the main job, `make test` the tests; each installs what it needs by itself.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help setup build demo test lint bench kill-test matrix clean-demo fuzz fuzz-seeds fuzz-merge report models models-check deb units vm-test ci-vm console-stress

OUT ?= target/demo
LITERT_DIR := target/litert
ARCH := $(shell uname -m)
export BOOTHD_LITERT := $(CURDIR)/$(LITERT_DIR)/$(ARCH)/libLiteRt.so

help:
	@echo "make demo       build, start wallet, uplink and booth, run all scenes, write $(OUT)/report.html"
	@echo "make test       all tests"
	@echo "make lint       formatting, clippy"
	@echo "make matrix     bad light, bad posture, badly held documents: table of what the booth makes of them, report in target/matrix"
	@echo "make bench      table of times per stage"
	@echo "make fuzz       fuzz targets, RUNS=N executions each (1000000), TARGET=NAME for one; table of executions and memory"
	@echo "make report     accuracy and speed beside peers, DATA=DIR with the evaluation data; writes docs/accuracy.md"
	@echo "make models     rebuild the models from pinned sources, compare (MODELS=\"NAME...\" or all: also those that are trained here, about 90 minutes more)"
	@echo "make models-check  committed models against manifest and rebuilt files"
	@echo "make deb        target/debian/boothd_VERSION_ARCH.deb for this machine's architecture"
	@echo "make vm-test    boots a virtual machine with real kernel drivers, installs the package in it, checks the service (minutes)"
	@echo "make units      systemd units: well formed, and as closed as they have to be (part of make lint)"
	@echo "make console-stress  customers come while the technician's line is maltreated; table of what that delays (4 minutes)"
	@echo "make kill-test  kill -9 of booth, uplink and wallet at 200 random instants (N=200), count what arrived"

setup:
	@scripts/setup.sh
	@models/fetch-litert.sh $(LITERT_DIR) $(ARCH)

build: setup
	cargo build --release --locked

demo: build
	target/release/boothd demo --out $(OUT)
	@scripts/verify-outcomes.sh $(OUT)

test: setup
	cargo test --locked
	python3 models/build/test_check.py
	python3 -m unittest discover -q -s scripts/report

lint: setup units
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null # its lock file fits

units:
	@scripts/check-units.sh

deb: setup
	@scripts/deb.sh

# ONLY="--case dark --person passport" for a part.
matrix: build
	target/release/boothd matrix $(ONLY)

# Not part of `make test`: emulated, some minutes, 300 MB of Debian's packages the first time. `ci-vm` is what a CI job calls.
vm-test: deb
	@tests/vm/run.sh target/vm/out

ci-vm: vm-test

bench: setup
	cargo bench --locked --bench pipeline

console-stress: build
	scripts/console-stress.py target/release/boothd

N ?= 200
kill-test: build
	target/release/boothd demo --out target/kill-test --kills $(N)
	@scripts/verify-outcomes.sh target/kill-test

# PEERS="mediapipe dlib" for some of them, PEERS=none for none; N_DOCUMENTS=documents drawn by each generator.
report: setup
	scripts/report.sh $(if $(DATA),--data "$(DATA)") $(if $(PEERS),--peers $(filter-out none,$(PEERS))) $(if $(N_DOCUMENTS),--documents $(N_DOCUMENTS))

RUNS ?= 1000000
FUZZ_TARGET := $(if $(TARGET),--target $(TARGET))
fuzz: setup
	programs=$$(scripts/fuzz-build.sh) && scripts/fuzz.py $$programs --runs $(RUNS) $(FUZZ_TARGET)

# Writes the hand-made inputs again; then takes what `make fuzz` found and keeps the smallest set that reaches the same code.
fuzz-seeds: setup
	cargo run --quiet --locked --example fuzz-seeds -- fuzz/corpus

fuzz-merge: fuzz-seeds
	programs=$$(scripts/fuzz-build.sh) && scripts/fuzz.py $$programs --merge $(FUZZ_TARGET)

MODELS ?=
MODELS_BUILD := target/models-build
MODELS_VENV := $(MODELS_BUILD)/venv
PYTHON311 ?= python3.11
# With the fonts of what is drawn for training, ranges and comparison.
.PHONY: models-packages
models-packages:
	@scripts/packages.sh models python3 python3-venv $$(command -v npm >/dev/null || echo npm) fonts-dejavu-core fonts-freefont-ttf fonts-liberation fonts-lxgw-wenkai fonts-noto-cjk \
		fonts-noto-cjk-extra fonts-ocr-a fonts-ocr-b fonts-wqy-microhei fonts-wqy-zenhei

$(MODELS_VENV)/ready: models/build/requirements.txt | models-packages
	@command -v $(PYTHON311) >/dev/null || { echo "make models: no $(PYTHON311) found; the packages are pinned for Python 3.11 (name it with PYTHON311=PATH)" >&2; exit 1; }
	$(PYTHON311) -m venv --clear $(MODELS_VENV)
	$(MODELS_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: -r $<
	touch $@

models: $(MODELS_VENV)/ready
	$(MODELS_VENV)/bin/python models/build/tasks.py --out $(MODELS_BUILD) $(MODELS)
	@$(MAKE) --no-print-directory models-check

models-check:
	@python=$(MODELS_VENV)/bin/python; [ -x $$python ] || python=python3; $$python models/build/check.py --built $(MODELS_BUILD)

clean-demo:
	rm -rf $(OUT) target/kill-test
