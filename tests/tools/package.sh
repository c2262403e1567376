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
# As for a release, with its change log. antsibull-changelog wants the folder of a collection, and none within a git checkout.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
source=$work/ansible_collections/cephgate/iscsi
tests/tools/tracked.sh "$source"
version=$(sed -n 's/^version: //p' galaxy.yml)
(cd "$source" && antsibull-changelog release --version "$version" > /dev/null)
grep -q "^v$version\$" "$source/CHANGELOG.rst"
ansible-galaxy collection build --output-path build/package/dist "$source"
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

# What Galaxy says of it. It does not know awx.awx, which only the set-up of a controller needs.
cat > importer.cfg << 'CFG'
[galaxy-importer]
CHECK_REQUIRED_TAGS = True
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
RUN_ANSIBLE_TEST = False
REQUIRE_V1_OR_GREATER = False
CFG
PATH=$top/.venv-galaxy/bin:$PATH GALAXY_IMPORTER_CONFIG=$PWD/importer.cfg \
    "$top/.venv-galaxy/bin/python" -m galaxy_importer.main dist/*.tar.gz > importer.log 2>&1 || { cat importer.log; exit 1; }
if grep -E '^(WARNING|ERROR)' importer.log | grep -v "couldn't resolve module/action 'awx.awx." || ! grep -q 'completed successfully' importer.log; then
    echo "package: see build/package/importer.log" >&2
    exit 1
fi
echo "package: accepted by galaxy-importer"
