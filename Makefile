# Everything a newcomer types. `make help` lists it.
SHELL := /bin/bash
# The distribution's own Python, where it is one for us, before another on the path: one that was compiled without
# profile-guided optimisation, as pyenv does by itself, takes a third more processor time for the same work.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed
unexport PYTHONDONTWRITEBYTECODE  # nothing is compiled at the installation: a start that keeps nothing takes two seconds more

.PHONY: help install parts run run-cluster test check format image-test bench chaos fuzz lock clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

install: $(STAMP) ## .venv with simpul and simpul-connector; quick when nothing changed

# pip as Python brings it, run from its wheel: it fetches uv, which installs all the rest in a quarter of the processor time.
WHEEL = $(shell $(PYTHON) -c 'import ensurepip, pathlib, sysconfig; \
  places = pathlib.Path(ensurepip.__file__).with_name("_bundled"), sysconfig.get_config_var("WHEEL_PKG_DIR"); \
  print(*[wheel for place in places if place for wheel in pathlib.Path(place).glob("pip-*.whl")][:1])')
LOCKED := --quiet --no-compile --require-hashes --no-deps --requirement
UV := $(BIN)/uv pip install --python $(BIN)/python
$(STAMP): export UV_SYSTEM_CERTS ?= true
ifdef PIP_INDEX_URL
$(STAMP): export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

# uv reads none of pip's files: where only those say where packages are, pip does it all, as slowly as it does.
$(STAMP): requirements.lock requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(if $(WHEEL),--without-pip) $(VENV)
	@echo "installing the locked packages into $(VENV) (a minute or two, once)"
	@awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements-dev.lock > $(VENV)/locked-uv
	@PYTHONPATH='$(WHEEL)' $(PIP) install $(LOCKED) $(VENV)/locked-uv
	@$(UV) $(LOCKED) requirements-dev.lock || PYTHONPATH='$(WHEEL)' $(PIP) install $(LOCKED) requirements-dev.lock
	@$(UV) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

parts: ## the real parts that the tests start: PostgreSQL, MariaDB, Chromium, Kafka (Java, Maven), promtool, systemd
	@deploy/parts.sh

run: install ## hub, two local apps, two ministries, complaints flowing; Ctrl-C stops it all (port 8080; PORT=8090 for another)
	@$(BIN)/python -m deploy.demo $(if $(PORT),--port $(PORT)) $(ARGS)

run-cluster: install ## the same on PostgreSQL and three Kafka brokers, the hub as six processes (19 ports from 8080)
	@deploy/parts.sh cluster
	@$(BIN)/python -m deploy.demo.cluster $(if $(PORT),--port $(PORT)) $(ARGS)

test: ## every test, on real parts
	@$(MAKE) --no-print-directory -j 2 install parts
	$(BIN)/pytest -n 4 --dist loadfile $(ARGS)

check: install ## linters, types, import directions, deployment files
	@deploy/parts.sh check
	@$(MAKE) --no-print-directory -j 2 check-types check-rest

.PHONY: check-types check-rest
# Two workers end sooner and take a third more processor time, which CI gives to the tests beside them.
check-types:
	$(BIN)/mypy $(if $(CI),,--num-workers 2)

check-rest:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.check_files

format: install ## puts the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

image-test: install ## builds the image and runs it with PostgreSQL and Kafka (BASE=debian:bookworm-slim)
	@deploy/parts.sh image
	$(BIN)/python -m tests.deploy.image --base '$(BASE)' $(ARGS)

bench: install parts ## the side-by-side benchmark (ARGS=--quick for a short one)
	$(BIN)/python -m tests.bench $(ARGS)

chaos: install ## kill -9 under load, 100 times (KILLS=5 for a short one; ARGS="--backend cluster" for PostgreSQL and Kafka)
	@deploy/parts.sh
	$(BIN)/python -m tests.chaos $(if $(KILLS),--kills $(KILLS)) $(ARGS)

fuzz: install ## schemathesis and a raw fuzzer against a running hub
	$(BIN)/python -W ignore -m tests.fuzz --seconds 60 $(ARGS)

lock: ## resolve pyproject.toml into the two lock files
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --strip-extras --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --allow-unsafe --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --strip-extras --extra dev --constraint requirements.lock \
	  --output-file requirements-dev.lock pyproject.toml

clean: ## removes the environment, builds and the demo's data; never a hub's
	rm -rf $(VENV) var/demo var/cluster build .mypy_cache .ruff_cache .pytest_cache .hypothesis
