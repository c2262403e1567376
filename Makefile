# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/sh
.DEFAULT_GOAL := help

.PHONY: venv
venv:  ## the tools of .venv (tests/requirements.txt) and the collections path build/collections
	@tests/tools/venv.sh .venv tests/requirements.txt
	@tests/tools/link-collection.sh

.PHONY: unit
unit: venv  ## unit tests
	.venv/bin/python -m pytest tests/unit
