#!/usr/bin/env bash
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on the client in place of Python: the same, and a line with the processor time of each module, in its own code and in the kernel.
TIMEFORMAT='%U %S'
{ time /usr/bin/python3 "$@" 2>&3; } 3>&2 2>> /run/clienttest-python
