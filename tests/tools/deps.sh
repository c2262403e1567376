#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the Debian packages that bindep.txt names for tests, those that are missing.
set -eu
cd "$(dirname "$0")/../.."
# From apt's lists it is known where roots and images can be had from, even when nothing is missing here.
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && [ -z "$(apt-get indextargets 'Created-By: Packages')" ]; then
    apt-get update -q -o DPkg::Lock::Timeout=300
fi
missing=
# shellcheck disable=SC2013  # words are what is wanted
for package in $(sed -n 's/^\([a-z0-9][a-z0-9.+-]*\) *\[.*platform:dpkg.*\].*/\1/p' bindep.txt); do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$'; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi
echo "deps: missing:$missing"
if ! command -v apt-get > /dev/null; then
    echo "deps: this is not Debian or Ubuntu: install the counterparts of these packages yourself" >&2
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    echo "deps: not root: run 'sudo apt-get install --no-install-recommends$missing' and try again" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086  # one word for each package
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
}
# The lists are fetched only when they are needed: empty on a fresh machine, or too old.
install || { apt-get update -q -o DPkg::Lock::Timeout=300 && install; }
