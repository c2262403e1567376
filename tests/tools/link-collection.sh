#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes build/collections, a collections path that serves this checkout as cephgate.iscsi.
# The link is relative, so that the checkout can be moved.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
base=$top/build/collections/ansible_collections
mkdir -p "$base/cephgate"
# The ansible package installs ansible_collections as a regular package, which hides a namespace
# package of the same name even when that stands earlier on sys.path. So ours is regular as well,
# and extends to the other one.
cat > "$base/__init__.py.$$" <<'PY'
__path__ = __import__('pkgutil').extend_path(__path__, __name__)
PY
mv -f "$base/__init__.py.$$" "$base/__init__.py"
link=$base/cephgate/iscsi
if [ "$(readlink "$link" 2>/dev/null)" != ../../../.. ]; then
    ln -sfn ../../../.. "$link"
fi
