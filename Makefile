# make lab       the lessons in JupyterLab      (make lab ARGS=--no-browser for a server without a screen)
# make test      every test; those in a browser too, where a Chromium is found
# make site      the lessons as a static folder for the web, .site/ (needs npm)
# make classroom a JupyterHub for a room             (make classroom ARGS='--students 30'; needs npm)
# make exercises exercises/ from solutions/
# make bench     the kit's speed, beside SimPy and ciw
# make test-browser, make bench-browser: what a learner's browser sees, and how fast (need Chromium and npm)
# make bench-classroom: 30 learners at one hub, at work together
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
CHROMIUM := $(shell command -v chromium chromium-browser google-chrome-stable google-chrome)
SITE := $(VENV)/site
HUB := $(VENV)/hub
SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.json

.PHONY: lab test test-browser test-binder exercises bench bench-browser bench-classroom site classroom clean
lab: $(VENV)/lab-installed $(SETTINGS)
	$(BIN)/jupyter lab --ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	  --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(ARGS)

# The browser has the machine to itself, or its tests wait for the kernels of all others.
test: $(VENV)/test-installed $(if $(shell command -v npm),$(HUB)/installed $(SITE)/installed)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --nbval-lax --nbval-cell-timeout=120 --ignore tests/browser $(ARGS)
	$(if $(CHROMIUM),$(MAKE) test-browser)

# Binder's own steps, without Docker: installs all that Binder would (CI runs it with the other tests).
test-binder: $(VENV)/test-installed
	KIT_BINDER=1 $(BIN)/python -m pytest -q tests/binder $(ARGS)

test-browser: $(VENV)/test-installed $(if $(shell command -v npm),$(SITE)/installed)
	$(BIN)/python -m pytest -q tests/browser

exercises: $(VENV)/lab-installed
	$(BIN)/python -m kit release

bench: $(VENV)/test-installed
	$(BIN)/python tests/bench.py

bench-browser: $(VENV)/test-installed site
	$(BIN)/python tests/browser/bench.py $(ARGS)

bench-classroom: $(VENV)/test-installed $(HUB)/installed
	$(BIN)/python tests/classroom/bench.py

site: $(SITE)/installed
	$(SITE)/bin/python -m kit.site $(ARGS)

classroom: $(VENV)/classroom-installed $(HUB)/installed
	PATH="$(CURDIR)/$(HUB)/node_modules/.bin:$$PATH" $(BIN)/python -m kit classroom $(ARGS)

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "The kit needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The one list of pins serves every install; a changed list or project file installs anew.
$(VENV)/lab-installed: constraints.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test-installed: constraints.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[tests,teachers]'
	@touch $@

$(VENV)/classroom-installed: constraints.txt pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[teachers]'
	@touch $@

# JupyterHub's proxy is a Node.js program.
$(HUB)/installed: | $(VENV)/bin/pip
	npm install --silent --no-audit --no-fund --prefix $(HUB) configurable-http-proxy@5.3.0
	@touch $@

# An environment of its own: what builds the site brings extensions that JupyterLab itself must not load.
$(SITE)/installed: constraints.txt pyproject.toml | $(VENV)/bin/pip
	$(VENV)/bin/python -m venv $(SITE)
	$(SITE)/bin/pip install --quiet --constraint constraints.txt --editable '.[site]'
	@touch $@

# JupyterLab's own news: not asked about, not fetched. Who wants them turns them on in Settings, Notifications.
$(SETTINGS): kit/course/jupyter/labconfig/default_setting_overrides.json | $(VENV)/lab-installed
	@mkdir -p $(@D)
	@cp $< $@

clean:
	rm -rf $(VENV)
