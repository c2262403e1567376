#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Prints the path of a Python 2.7: PYTHON27, or the one on the PATH, or one out of Debian 11,
# the last Debian that has it. That one is run with its own C library, so it needs no chroot.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
for candidate in ${PYTHON27:-python2.7}; do
    if "$candidate" -c 'import sys; assert sys.version_info[:2] == (2, 7)' 2> /dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
if [ -n "${PYTHON27:-}" ]; then
    echo "python27: PYTHON27=$PYTHON27 is not a Python 2.7" >&2
    exit 1
fi
root=$("$top/tests/tools/debroot.sh" python2.7 bullseye extract python2.7)
# By its versioned name: the usual one is an absolute link out of the root.
loader=$(ls "$root"/lib/*-linux-gnu/ld-*.so)
arch=${loader%/*}
wrapper=$top/build/py27/python2.7
mkdir -p "$top/build/py27"
cat > "$wrapper.$$" <<SH
#!/bin/sh
PYTHONHOME=$root/usr exec "$loader" --library-path "${loader%/*}:$root/usr/lib/${arch##*/}" "$root/usr/bin/python2.7" "\$@"
SH
chmod +x "$wrapper.$$"
mv "$wrapper.$$" "$wrapper"
"$wrapper" -c 'import sys; assert sys.version_info[:2] == (2, 7)'
echo "$wrapper"
