# Everything runs from this checkout, in .venv; see deploy/environment.sh.
RUN := PYTHONPATH=. .venv/bin/python
DATA ?= data/embedded
HTTP ?= 127.0.0.1:0
# Each worker has servers and a product of its own; a file of tests stays together.
ALL := -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
# Where Python is told to keep no bytecode, every start compiles everything anew: seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up test test-all check bench requirements clean

help:    ## what there is
	@grep -E '^[a-z-]+: .*##' Makefile | sed 's/:.*##/ -/'

demo: env   ## play a whole campaign on an embedded stack
	$(RUN) -m services.cli demo

up: env   ## start the whole product and print its addresses
	$(RUN) -m services.cli up --data $(DATA) --http $(HTTP)

test: env   ## everything, on real servers
	$(RUN) $(ALL)
	@echo "left out: people at a browser (tests/browser); make test-all runs them"

test-all: env   ## the same, and people at a browser (Debian's chromium is installed where that may be done)
	command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium fonts-wqy-microhei; }
	PATH="$$PWD/.tools/uv/bin:$$PATH" uv pip install -q --python .venv/bin/python --require-hashes -r requirements/browser.txt
	$(RUN) $(ALL)
	$(RUN) -m pytest -m browser tests/browser/story.py

check: env   ## the ten-second loop: format, lint, types, imports, quick tests of what changed
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	PYTHONPATH=. tests/quick.sh

bench: env   ## the speed ratios
	$(RUN) -m services.cli bench commands
	$(RUN) -m services.cli bench views
	$(RUN) -m services.cli bench oversight
	$(RUN) -m services.cli bench audit
	$(RUN) -m services.cli bench replay

rights: env   ## write docs/rights.md anew
	$(RUN) -m services.cli rights > docs/rights.md

schemas: env   ## publish the schemas of stored events anew; refuses what would lose any
	$(RUN) -m services.cli schemas docs/schemas

.PHONY: env rights schemas
env:
	@deploy/environment.sh requirements/dev.txt

requirements:   ## pin anew (needs uv on PATH)
	uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --extra embedded -c requirements/run.txt -o requirements/embedded.txt
	uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --extra embedded --group test --group lint -c requirements/run.txt -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --group browser -c requirements/dev.txt -o requirements/browser.txt

clean:
	rm -rf .venv .tools data
