# What is run on a POSIX system. Windows and conda need none of it: see README.md.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup build reports gallery lab test lint bench soak screenshots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with the pinned packages (done by every other target when missing or stale)

# Another lock or a broken .venv: made anew, so that nothing is left of before. Else only the project is.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; " \
	  + sys.executable + " is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@if [ -n "$(filter requirements.lock,$?)" ] || ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
	  echo "making .venv with the packages of requirements.lock (a minute or two)"; \
	  $(PYTHON) -m venv --clear .venv && $(PIP_INSTALL) -r requirements.lock; \
	fi
	@$(PIP_INSTALL) --no-deps -e .
	@touch $@

build: $(READY) ## Read data/raw, write the tidy data and the measures to data/processed
	$(BIN)/qyx build

# A plan that cannot be read (status 1) is named and does not keep the others from their reports.
reports: $(READY) ## Build, then write every report; open reports/index.html
	@status=0; $(BIN)/qyx build || status=$$?; [ $$status -le 1 ] && $(BIN)/qyx report && exit $$status

gallery: build ## Put every picture on one page, reports/gallery.html
	$(BIN)/python docs/gallery.py

# docs/lab: no question about news, pictures that fit. What JupyterLab remembers stays in .venv and out of the home folder.
# It refuses root unless it is told that root is meant, as in a container.
LAB := $(CURDIR)/.venv/lab
lab: $(READY) ## Open JupyterLab at the guide notebooks/00-start; builds the data if there are none
	@[ -s data/processed/targets.csv ] || $(BIN)/qyx build || [ $$? -eq 1 ]
	JUPYTER_CONFIG_DIR=$(CURDIR)/docs/lab JUPYTERLAB_SETTINGS_DIR=$(LAB)/settings JUPYTERLAB_WORKSPACES_DIR=$(LAB)/workspaces \
	  JUPYTER_DATA_DIR=$(LAB)/data IPYTHONDIR=$(LAB)/ipython $(BIN)/jupyter lab --ServerApp.root_dir=. \
	  --LabApp.default_url=/lab/tree/notebooks/00-start.ipynb --custom-css $(if $(filter 0,$(shell id -u)),--allow-root)

test: $(READY) ## Run the tests and the examples in the docstrings
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(READY) ## Check style and types of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## Run the benchmarks (benchmarks/README.md says how to read them)
	@for benchmark in benchmarks/*.py; do $(BIN)/python $$benchmark || exit 1; done

screenshots: $(READY) ## Make the pictures of index and report in docs/ anew (needs Debian's chromium)
	$(BIN)/qyx report --lang both
	$(BIN)/python docs/screenshots.py

soak: $(READY) ## Run the long tests that `make test` leaves out, and the properties on all their examples
	$(BIN)/pytest -m "soak or hypothesis" --hypothesis-profile=thorough

clean: ## Remove what was built and the caches; .venv stays
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis data/.*.part
	find data/processed reports -mindepth 1 ! -name .gitignore -delete
	find qyx_analysis tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
