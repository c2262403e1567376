#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: sanity.sh VENV [ANSIBLE-TEST-SANITY-ARGUMENT]...
#
# Runs `ansible-test sanity` of VENV on a copy of the tracked files: it refuses a link, and in a
# folder that git ignores it silently finds nothing. The environments that it makes for its tests
# (a minute and a half the first time) stay in ${XDG_CACHE_HOME:-~/.cache}/cephgate-lab/ansible-test.
set -eu
cd "$(dirname "$0")/../.."
venv=$PWD/$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
copy=$work/ansible_collections/cephgate/iscsi
tests/tools/tracked.sh "$copy"

home=${XDG_CACHE_HOME:-$HOME/.cache}/cephgate-lab/ansible-test
mkdir -p "$home/.ansible/test/cache" "$home/.config/pip"
exec 9> "$home/lock"
flock 9
# ansible-test passes no PIP_ variables on, and has another home here: write down how pip is configured.
"$venv/bin/python" tests/tools/pip_settings.py > "$home/.config/pip/pip.conf"
# It would download a get-pip of exactly these versions.
# shellcheck disable=SC2013  # words are what is wanted
for version in $(sed -n "s/^ *pip='\([0-9.]*\)'.*/\1/p" \
    "$venv"/lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py); do
    cp tests/tools/get_pip.py "$home/.ansible/test/cache/get_pip_$(echo "$version" | tr . _).py"
done

python=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$copy"
HOME=$home PATH=$venv/bin:$PATH "$venv/bin/ansible-test" sanity --local --color no --python "$python" "$@"
