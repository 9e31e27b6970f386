# make lab       the lessons in JupyterLab      (make lab ARGS=--no-browser for a server without a screen)
# make test      every test
# make exercises exercises/ from solutions/
# make bench     the kit's speed, beside SimPy and ciw
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.json

.PHONY: lab test exercises bench clean
lab: $(VENV)/lab-installed $(SETTINGS)
	$(BIN)/jupyter lab --ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	  --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate $(ARGS)

test: $(VENV)/test-installed
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --nbval-lax --nbval-cell-timeout=120 $(ARGS)

exercises: $(VENV)/lab-installed
	$(BIN)/python -m kit release

bench: $(VENV)/test-installed
	$(BIN)/python tests/bench.py

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

# JupyterLab's own news: not asked about, not fetched. Who wants them turns them on in Settings, Notifications.
$(SETTINGS): | $(VENV)/lab-installed
	@mkdir -p $(@D)
	@printf '%s\n' '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' > $@

clean:
	rm -rf $(VENV)
