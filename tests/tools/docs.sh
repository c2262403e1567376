#!/bin/bash -eu
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the documentation in build/docs/html: docs/ and what antsibull-docs makes of plugins and roles. A link to a page or heading
# that does not exist stops it (sphinx -n -W); nothing is asked of the network.
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/build/collections" ANSIBLE_HOME="$PWD/build/ansible-home"
export CEPHGATE_TOP="$PWD" ANSIBLE_NOCOLOR=1
rm -rf build/docs/source
mkdir -p build/docs/source/collections
cp -r docs/. build/docs/source/
rm -rf build/docs/source/_ext/__pycache__
antsibull-docs collection --use-current --no-add-antsibull-docs-version --squash-hierarchy --fail-on-error \
    --dest-dir build/docs/source/collections cephgate.iscsi
sphinx-build -q -n -W --keep-going -b html build/docs/source build/docs/html
python tests/tools/doc_links.py build/docs/html README.md CONTRIBUTING.md roles/*/README.md tests/*/README.md molecule/shared/README.md
