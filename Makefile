# Everything a newcomer types. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed

.PHONY: help install parts run test check format bench chaos fuzz lock clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(STAMP) ## .venv with simpul and simpul-connector; quick when nothing changed

$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) (a minute or two, once)"
	@$(PIP) install --quiet --require-hashes --no-deps -r requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## resolve pyproject.toml into the two lock files
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --strip-extras --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --strip-extras --extra dev --constraint requirements.lock \
	  --output-file requirements-dev.lock pyproject.toml
