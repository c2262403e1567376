#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: tracked.sh [FOLDER]
#
# Prints the project's files that exist, one per line; with FOLDER, copies them there.
set -eu
cd "$(dirname "$0")/../.."
list() {
    if [ -e .git ]; then
        # The checkout may belong to another user than the one who tests it, root for example.
        git -c safe.directory="$PWD" -c core.quotePath=false ls-files
    else
        find . \( -path ./build -o -path './.venv*' -o -path ./.ansible -o -name __pycache__ \) -prune \
            -o \( -type f -o -type l \) -print | sed 's,^\./,,'
    fi | while IFS= read -r file; do
        if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\n' "$file"; fi
    done
}
if [ $# = 0 ]; then
    list
else
    mkdir -p "$1"
    list | tar -c --verbatim-files-from -T - | tar -x -C "$1"
fi
