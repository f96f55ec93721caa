SHELL := bash
.PHONY: test down
test:
	@.ci/environment
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/python -m pytest
down:
	@true
