#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: venv.sh FOLDER REQUIREMENTS
#
# Makes the virtual environment FOLDER hold exactly what REQUIREMENTS pins, and does nothing when
# it does already. With uv this takes about 10 s, with pip alone a minute.
set -eu
folder=$1 requirements=$2
mkdir -p build
exec 9> "build/$(basename "$folder").lock"
flock 9

python=
for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "venv: no Python 3.11 or later found (tried ${PYTHON:-python3 python3.11 python3.12 python3.13}); set PYTHON=" >&2
    exit 1
fi

# The folder's own path is part of the key: scripts inside it name it.
key=$({ cat "$requirements"; "$python" --version; cd "$(dirname "$folder")" && pwd; } | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/.key" 2>/dev/null)" = "$key" ]; then
    exit 0
fi
echo "venv: filling $folder from $requirements"
if [ "$(sed -n 1p "$folder/.python" 2>/dev/null)" != "$("$python" --version) $(cd "$(dirname "$folder")" && pwd)" ]; then
    rm -rf "$folder"
    if ! "$python" -m venv "$folder"; then
        echo "venv: $python cannot make virtual environments: run 'make deps' as root" >&2
        exit 1
    fi
    echo "$("$python" --version) $(cd "$(dirname "$folder")" && pwd)" > "$folder/.python"
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
if "$folder/bin/python" -m pip install -q "$(grep '^uv==' "$requirements")" &&
    "$folder/bin/uv" pip sync -q --python "$folder/bin/python" "$requirements"; then
    :
else
    echo "venv: uv did not manage it, falling back to pip" >&2
    "$folder/bin/python" -m pip install -q -r "$requirements"
fi
# Neither compiles anything, and where PYTHONDONTWRITEBYTECODE is set nothing ever would: 2 s more for each start of a tool of Ansible.
# Not the many collections, of which few files are used.
"$folder/bin/python" -m compileall -q -j 0 -x ansible_collections "$folder"/lib/python3.*/site-packages > /dev/null || true
echo "$key" > "$folder/.key"
