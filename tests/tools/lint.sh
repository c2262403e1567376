#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# All linters, whatever those before them say.
set -u
cd "$(dirname "$0")/../.." || exit 1
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/build/collections" ANSIBLE_HOME="$PWD/build/ansible-home"
status=0
echo "== yamllint"
yamllint --strict . || status=1
echo "== shellcheck"
tests/tools/tracked.sh | tr '\n' '\0' | xargs -0 grep -lE '^#!(/bin/|/usr/bin/env )(ba)?sh' | xargs shellcheck || status=1
echo "== reuse"
reuse lint --quiet || { reuse lint; status=1; }
echo "== ansible-lint"
ansible-lint --nocolor || status=1
exit $status
