# The tasks are in scripts/run.py, which runs without make, too. Each sets up what it needs; `make demo` or `make test` may
# be the first command after a clone.
PYTHON ?= python3
VENV := .venv
PROFILE ?= slow
RUN := "$(PYTHON)" scripts/run.py --venv "$(VENV)"

.PHONY: demo test check docs format bench parity clean

demo docs format bench parity clean:
	@$(RUN) $@

test:
	@$(RUN) test $(TESTS)

# What `test` leaves out, and each law with all its examples (PROFILE=fast: with few).
check:
	@$(RUN) check --profile $(PROFILE) $(CHECK)
