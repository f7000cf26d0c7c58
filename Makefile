# Every target sets up .venv on first use. On Windows, or without make: see README.md.
PYTHON ?= python3
PORT ?= 8888
VENV := .venv
BIN := $(VENV)/bin
ifdef LESSON
LESSONS := $(LESSON)
endif

.PHONY: help setup lab test test-fast test-unanswered test-processors test-backends test-colab \
	publish-check workshop-kit test-kit test-browser site test-site test-hub slides progress \
	gpu-check reports \
	build claims bench format clean

help:
	@echo "make lab              open the course in JupyterLab (PORT=8888, NO_BROWSER=1)"
	@echo "make setup            only set up .venv"
	@echo "make test             run everything that tests the project"
	@echo "make test-fast        run the tests that need no notebook and no browser"
	@echo "make build            build the notebooks from course/ (LESSON=03 for one, FORCE=1 to rerun)"
	@echo "make claims           measure what evidence/ claims, on 5 fresh seeds (LESSON=03)"
	@echo "make publish-check    say what is missing before the course is published (ONLINE=1: and after)"
	@echo "make workshop-kit     pack a folder for a room without network (LESSONS=\"00 03\", LIST=1)"
	@echo "make site             build the web edition (ONLINE=1: ask the links to other sites too)"
	@echo "make progress         where a room was stuck (FILES=folder with progress.jsonl files)"
	@echo "make slides           slides of a lesson (LESSON=00)"
	@echo "make gpu-check        run every lesson on the GPU and compare it with the CPU"
	@echo "make reports          run the sample reports of the capstone that changed"
	@echo "make bench            measure speed side by side (CASES=\"features bert\" for some)"
	@echo "make test-unanswered  run every lesson as it is opened, nothing answered (LESSON=03)"
	@echo "make test-processors  rerun the answered notebooks as other processors would"
	@echo "make test-backends    run the Keras lessons on torch and on JAX"
	@echo "make test-colab       run the course on the versions that Colab ships"
	@echo "make test-browser     use every lesson in JupyterLab in a real browser (LESSON=03)"
	@echo "make test-site        read the web edition in a real browser, on phone and laptop"
	@echo "make test-hub         log 20 learners into a real hub, restart it, find their progress"
	@echo "make test-kit         pack a kit, install it without a network, run lesson 00 in it"
	@echo "make format           format and lint"

setup: $(VENV)/lab.done

$(VENV)/lab.done: pyproject.toml constraints.txt
	@$(PYTHON) tools/check_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[lab]"
	@touch $@

$(VENV)/dev.done: $(VENV)/lab.done
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/jupyter labextension disable --level=sys_prefix @jupyter/nbgrader
	$(BIN)/python tools/ensure_browser.py
	@touch $@

lab: $(VENV)/lab.done
	-$(BIN)/python -m transfer_lib doctor --no-network
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 --ServerApp.port=$(PORT) \
		--ServerApp.tornado_settings="{'websocket_max_message_size': 100_000_000}" \
		$(if $(NO_BROWSER),--no-browser) $(if $(filter 0,$(shell id -u)),--allow-root) \
		lessons/00_first_transfer.ipynb

PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

test: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST)

test-fast: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) tests -m "not slow"

test-unanswered: $(VENV)/dev.done
	$(BIN)/python tools/build.py --unanswered $(LESSONS)

build: $(VENV)/dev.done
	$(BIN)/python tools/build.py $(LESSONS) $(if $(FORCE),--force)

claims: $(VENV)/dev.done
	$(BIN)/python tools/run_claims.py $(LESSONS)

reports: $(VENV)/dev.done
	$(BIN)/python tools/reports.py

bench: $(VENV)/dev.done
	$(BIN)/python -m bench $(CASES)

publish-check: $(VENV)/dev.done
	$(BIN)/python tools/publish.py $(if $(ONLINE),--online)

workshop-kit: $(VENV)/dev.done
	$(BIN)/python tools/workshop_kit.py $(if $(LESSONS),--lessons $(LESSONS)) \
		$(if $(PROFILE),--profile $(PROFILE)) $(if $(PLATFORMS),--platforms $(PLATFORMS)) \
		$(if $(PYTHONS),--pythons $(PYTHONS)) $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX)) \
		$(if $(LIST),--list)

node_modules/.package-lock.json: package.json
	npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

site: $(VENV)/dev.done node_modules/.package-lock.json
	$(BIN)/python tools/web_edition.py $(if $(ONLINE),--online)

test-site: site
	$(BIN)/python tools/test_web_edition.py

test-hub: $(VENV)/dev.done node_modules/.package-lock.json
	$(BIN)/python tools/test_hub.py

slides: $(VENV)/dev.done node_modules/.package-lock.json
	$(BIN)/python tools/slides.py $(LESSONS)

progress: $(VENV)/dev.done
	$(BIN)/python tools/progress_report.py $(FILES)

gpu-check: $(VENV)/dev.done
	$(BIN)/python tools/gpu_check.py $(LESSONS)

test-browser: $(VENV)/dev.done
	$(BIN)/python tools/test_browser.py $(LESSONS)

test-kit: $(VENV)/dev.done
	$(BIN)/python tools/test_kit.py

test-processors: $(VENV)/dev.done
	$(BIN)/python tools/test_processors.py

test-backends: $(VENV)/dev.done
	$(BIN)/python tools/other_environment.py jax

test-colab: $(VENV)/dev.done
	$(BIN)/python tools/other_environment.py colab

format: $(VENV)/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .venv-* build node_modules
