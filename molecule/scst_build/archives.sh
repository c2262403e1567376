#!/bin/bash -eu
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: archives.sh FOLDER VERSION [broken]
#
# Makes scst-, iscsi-scst- and scstadmin-VERSION.tar.bz2 in FOLDER, as SCST's project does.
# broken: with a mistake that the compiler finds at once, as an emulated one takes half a minute for a file with the kernel's headers.
set -euo pipefail
cd "$(dirname "$0")/source"
folder=$1 version=$2 broken=${3:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$folder"
for part in scst iscsi-scst scstadmin; do
    cp -r "$part" "$copy/$part-$version"
done
grep -rl @VERSION@ "$copy" | xargs sed -i "s/@VERSION@/$version/"
if [ "$broken" = broken ]; then
    echo '#error the compiler stops here' > "$copy/scst-$version/src/scst_main.c"
fi
# The newer release has no manual page, so that an upgrade must remove that of the older.
if [ "$version" = 3.10.0 ]; then
    sed -i '/manpages/d' "$copy/iscsi-scst-$version/Makefile"
    rm -r "$copy/iscsi-scst-$version/doc"
fi
for part in scst iscsi-scst scstadmin; do
    tar -C "$copy" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cjf "$folder/$part-$version.tar.bz2" "$part-$version"
done
