# boothd. `make demo` runs the main job, `make test` the tests; each installs what it needs by itself.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help setup build demo test lint bench kill-test clean-demo

OUT ?= target/demo
LITERT_DIR := target/litert
ARCH := $(shell uname -m)
export BOOTHD_LITERT := $(CURDIR)/$(LITERT_DIR)/$(ARCH)/libLiteRt.so

help:
	@echo "make demo       build, start wallet, uplink and booth, run all scenes, write $(OUT)/report.html"
	@echo "make test       all tests"
	@echo "make lint       formatting, clippy"
	@echo "make bench      table of times per stage"
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

lint: setup
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

bench: setup
	cargo bench --locked --bench pipeline

N ?= 200
kill-test: build
	target/release/boothd demo --out target/kill-test --kills $(N)
	@scripts/verify-outcomes.sh target/kill-test

clean-demo:
	rm -rf $(OUT) target/kill-test
