# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What is written outside this folder: Debian packages (deps), and caches in
# ${XDG_CACHE_HOME:-~/.cache}: uv (packages of Python) and cephgate-lab (Debian roots, lab images,
# environments of ansible-test), and ~/.ansible (Ansible's ssh connections to the lab). A step NAME.run does the work of NAME; tests/tools/steps.py keeps
# its output in build/log.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# The virtual environments need 3.11 or later; this only starts steps.
STEPS := python3 tests/tools/steps.py
ANSIBLE := PATH="$(CURDIR)/.venv/bin:$$PATH" ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/build/collections"
PYTEST := .venv/bin/python -m pytest

# The lab of virtual machines; it adds the steps that need it to LAB_STEPS.
-include molecule/shared/lab.mk

# Two at a time in make test, so the longest come first.
CHECKS := sanity windows plays controller unit molecule page property lint model py27 package roles emulator docs guard

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps:  ## install the missing Debian packages of bindep.txt (as root)
	@tests/tools/deps.sh
.PHONY: deps.run
deps.run: deps

.PHONY: venv
venv:  ## the tools of .venv (tests/requirements.txt) and the collections path build/collections
	@tests/tools/venv.sh .venv tests/requirements.txt
	@tests/tools/link-collection.sh
.PHONY: venv-2.16
venv-2.16: venv
	@tests/tools/venv.sh .venv-2.16 tests/requirements-2.16.txt
.PHONY: venv-galaxy
venv-galaxy: venv
	@tests/tools/venv.sh .venv-galaxy tests/requirements-galaxy.txt
.PHONY: venv.run
venv.run: venv venv-2.16

.PHONY: test check
test:  ## everything, the lab included
	@$(STEPS) --needed deps --needed venv $(addprefix --beside ,$(CHECKS)) $(LAB_STEPS)
check:  ## everything that needs no virtual machine
	@$(STEPS) --needed deps --needed venv $(addprefix --beside ,$(CHECKS))

.PHONY: lint docs guard unit page property model emulator windows py27 sanity package roles plays controller molecule bench bench-fleet
lint:  ## ansible-lint (production profile), yamllint, shellcheck, reuse
docs:  ## the documentation built (build/docs/html), its links, its examples tried; changelog
guard:  ## rules of this project about its own files
unit:  ## unit tests; those of what Ansible loads with the oldest ansible-core, too
page:  ## the status page in a browser: sizes of screens, paper, dark
property:  ## property tests of the engine
model:  ## the take-over protocol, every order of faults up to a bound; MODEL=full: without the bound, for hours
emulator:  ## the SCST emulator against recordings of SCST
windows:  ## what runs against Windows, on hosts that answer as Windows does, with both versions of ansible-core
py27:  ## what runs on hosts, under a real Python 2.7
sanity:  ## ansible-test sanity, with the newest and the oldest ansible-core
package:  ## build the collection with its change log, install and inspect it; galaxy-importer
roles:  ## the roles' promises about their cost
controller:  ## a controller's set-up on a stub of its API, its jobs by ansible-runner on emulated gateways
plays:  ## the playbooks of operations, on gateways that are namespaces of this machine
molecule:  ## the scenarios that need no virtual machine
bench:  ## time the engine
bench-fleet:  ## what many gateways cost the control node; FLEET='--gateways 32 --luns 1000 --hosts 200 --forks 8'
lint docs guard unit page property model emulator windows py27 sanity package roles plays controller molecule bench bench-fleet: venv
	@$(STEPS) $@

.PHONY: lint.run
lint.run:
	tests/tools/lint.sh

.PHONY: docs.run
docs.run:
	$(ANSIBLE) ANSIBLE_HOME="$(CURDIR)/build/ansible-home" .venv/bin/antsibull-docs lint-collection-docs --plugin-docs .
	.venv/bin/antsibull-changelog lint
	tests/tools/docs.sh
	$(PYTEST) tests/docs --junitxml=build/log/junit/docs.xml

.PHONY: guard.run
guard.run:
	$(PYTEST) tests/guard

.PHONY: unit.run
unit.run: venv-2.16
	$(PYTEST) tests/unit --junitxml=build/log/junit/unit.xml
	.venv-2.16/bin/python -m pytest -q $(addprefix tests/unit/plugins/,action filter lookup modules) --junitxml=build/log/junit/unit-2.16.xml

.PHONY: page.run
page.run:
	$(PYTEST) tests/page

.PHONY: property.run
property.run:
	$(PYTEST) tests/property

.PHONY: model.run
MODEL ?= quick
model.run:
	$(PYTEST) tests/model --model=$(MODEL)

.PHONY: emulator.run
emulator.run:
	$(PYTEST) tests/emulator/tests

.PHONY: windows.run
windows.run: venv-2.16
	$(PYTEST) tests/windows --junitxml=build/log/junit/windows.xml
	.venv-2.16/bin/python -m pytest -q tests/windows/tests/test_playbook.py -k 'bare_host or interrupted' --junitxml=build/log/junit/windows-2.16.xml

.PHONY: py27.run
py27.run: venv-2.16
	tests/tools/py27.sh

# What depends on the version, or only the older one has: its rules for Python 2.7. Those hold for
# plugins, not for tests.
SANITY_2.16 := ansible-doc compile future-import-boilerplate import metaclass-boilerplate runtime-metadata validate-modules
.PHONY: sanity.run
sanity.run: venv-2.16
	status=0; \
	tests/tools/sanity.sh .venv || status=1; \
	tests/tools/sanity.sh .venv-2.16 $(addprefix --test ,$(SANITY_2.16)) plugins/ || status=1; \
	exit $$status

.PHONY: package.run
package.run: venv-galaxy
	tests/tools/package.sh

.PHONY: plays.run
plays.run:
	$(PYTEST) tests/integration/plays

.PHONY: controller.run
controller.run:
	$(PYTEST) tests/controller --junitxml=build/log/junit/controller.xml

.PHONY: roles.run
roles.run:
	$(PYTEST) tests/integration/roles

.PHONY: molecule.run
molecule.run:
	tests/tools/molecule.sh

.PHONY: bench.run
bench.run:
	.venv/bin/python tests/bench/engine.py
	.venv/bin/python tests/bench/client.py

.PHONY: bench-fleet.run
FLEET ?=
bench-fleet.run:
	.venv/bin/python tests/bench/fleet.py $(FLEET)

.PHONY: clean
clean:  ## remove what was made in this folder; caches stay
	rm -rf build .venv .venv-2.16 .venv-galaxy .ansible .pytest_cache .hypothesis
