#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: debroot.sh NAME SUITE VARIANT PACKAGE...
#
# Prints the folder of a Debian root of SUITE with the packages, made by mmdebstrap (VARIANT: see
# there) from the mirror that this machine uses, or the one in DEBIAN_MIRROR. Kept in
# ${XDG_CACHE_HOME:-~/.cache}/cephgate-lab; nobody may write to it afterwards.
set -eu
name=$1 suite=$2 variant=$3
shift 3
packages=$(printf '%s\n' "$@" | sort | paste -sd, -)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cephgate-lab
key=$(echo "$suite $variant $packages" | sha256sum | cut -c1-12)
root=$cache/root-$name-$key
mkdir -p "$cache"
exec 9> "$cache/lock-root-$name"
flock 9
if [ -d "$root" ]; then
    echo "$root"
    exit 0
fi
mirror=
# shellcheck disable=SC2016  # for apt-get to expand
for uri in ${DEBIAN_MIRROR:-} $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
    uri=${uri%/}
    if /usr/lib/apt/apt-helper -q -q download-file "$uri/dists/$suite/Release" "$cache/Release.$$" 2> /dev/null >&2; then
        mirror=$uri
        break
    fi
done
rm -f "$cache/Release.$$"
if [ -z "$mirror" ]; then
    echo "debroot: none of this machine's package sources has $suite; set DEBIAN_MIRROR" >&2
    exit 1
fi
rm -rf "$root.new"
# mmdebstrap reads no apt configuration of this machine: a proxy has to be handed over.
apt-config dump --no-empty | grep -E '^Acquire::https?::(.*::)?(Proxy|CAInfo) ' > "$cache/apt.$$" || true
mmdebstrap --quiet --variant="$variant" --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt="$cache/apt.$$" --dpkgopt=path-exclude='/usr/share/doc/*' \
    --dpkgopt=path-exclude='/usr/share/man/*' --dpkgopt=path-exclude='/usr/share/locale/*' \
    "$suite" "$root.new" "deb $mirror $suite main" >&2
rm -rf "$cache/apt.$$" "$root.new/var/cache/apt/archives" "$root.new"/var/lib/apt/lists/*
mkdir -p "$root.new/var/cache/apt/archives/partial" "$root.new/var/lib/apt/lists/partial"
mv "$root.new" "$root"
echo "$root"
