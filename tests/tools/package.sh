#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the collection of the tracked files, installs it into an empty folder, compares what is
# there with what the project has, and lets Ansible read the site playbook of the installed copy.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
PATH=$top/.venv/bin:$PATH
export PATH ANSIBLE_NOCOLOR=1 ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_HOME="$top/build/ansible-home"
rm -rf build/package
tests/tools/tracked.sh build/package/source
ansible-galaxy collection build --output-path build/package/dist build/package/source
# The dependencies come with the ansible package: nothing is asked of Galaxy.
ansible-galaxy collection install --offline --no-deps -p build/package/installed build/package/dist/*.tar.gz

installed=build/package/installed/ansible_collections/cephgate/iscsi
for file in MANIFEST.json FILES.json LICENSE README.md meta/runtime.yml playbooks/site.yml \
    $(tests/tools/tracked.sh | grep -E '^(plugins|roles|playbooks|meta|docs)/'); do
    if [ ! -f "$installed/$file" ]; then
        echo "package: $file is missing from the built collection" >&2
        exit 1
    fi
done
for path in tests molecule build .ci .git Makefile; do
    if [ -e "$installed/$path" ]; then
        echo "package: $path is of no use in the built collection: see build_ignore in galaxy.yml" >&2
        exit 1
    fi
done

cd build/package
ANSIBLE_COLLECTIONS_PATH=$PWD/installed
export ANSIBLE_COLLECTIONS_PATH
ansible-playbook --syntax-check -i "$top/inventories/example" cephgate.iscsi.site
for plugin in "$top"/plugins/modules/*.py; do
    set -- "$@" "cephgate.iscsi.$(basename "$plugin" .py)"
done
ansible-doc --json "$@" > modules.json
for role in "$top"/roles/*/; do
    ansible-doc -t role "cephgate.iscsi.$(basename "$role")" > /dev/null
done
echo "package: $(ls dist) holds $(find installed -type f | wc -l) files, $# modules are documented"
