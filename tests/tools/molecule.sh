#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the Molecule scenarios that need no virtual machine: SCENARIOS, or all that have their roots
# from molecule/chroot, and windows_client. In a mount namespace of their own, so that nothing stays mounted whatever happens;
# windows_client with processes and a network of its own, so that nothing stays running, and its ports are free.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
if [ "$(id -u)" != 0 ]; then
    echo "molecule: root is needed to make Debian roots" >&2
    exit 1
fi
export NO_COLOR=1 PATH="$top/.venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$top/build/collections" ANSIBLE_HOME="$top/build/ansible-home"
mkdir -p build/log/junit
for scenario in ${SCENARIOS:-$(grep -l '\.\./chroot/create\.yml' molecule/*/molecule.yml | cut -d/ -f2) windows_client}; do
    echo "== $scenario"
    PYTEST_ADDOPTS=--junitxml=$top/build/log/junit/molecule-$scenario.xml
    export PYTEST_ADDOPTS
    rm -f "$top/build/log/junit/molecule-$scenario.xml"
    if [ "$scenario" = windows_client ]; then
        # shellcheck disable=SC2016  # $0 is for the shell inside
        unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc \
            sh -c 'ip link set lo up && "$0" test -s windows_client' "$top/.venv/bin/molecule"
    else
        unshare --mount --propagation private "$top/.venv/bin/molecule" test -s "$scenario"
    fi
    # Molecule takes a scenario without tests for a success.
    if [ ! -s "$top/build/log/junit/molecule-$scenario.xml" ]; then
        echo "molecule: scenario $scenario has no tests" >&2
        exit 1
    fi
done
