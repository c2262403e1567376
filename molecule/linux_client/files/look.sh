#!/bin/bash -eu
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on the client: what the kernel shows of this scenario's sessions and disks. usage: look.sh WHAT [GATEWAY or SERIAL]
set -o pipefail

sessions() {
    grep -l "clienttest:$1" /sys/class/iscsi_session/*/targetname | xargs -rn1 dirname
}

case $1 in
states) # of each session: its state and open-iscsi interface
    for s in $(sessions "${2:-}"); do echo "$(cat "$s/state") $(cat "$s/ifacename")"; done | sort ;;
users) # of each session: who proved who they are
    for s in $(sessions "${2:-}"); do echo "$(cat "$s/username") $(cat "$s/username_in")"; done ;;
pings) # of each session: seconds between two pings
    for s in $(sessions ""); do cat "$s"/device/connection*/iscsi_connection/*/recv_tmo; done ;;
ways) # of each connection: its own address and the device that it is bound to
    ss -Hnt state established dport = :3261 | awk '{ print $3 }' | sed 's/:[0-9]*$//' | sort ;;
paths) # disks with a serial number that begins like this
    for page in /sys/block/sd*/device/vpd_pg80; do
        [ -e "$page" ] && tail -c +5 "$page" | tr -d '\0' | grep -q "^$2" && echo "$page" | cut -d/ -f4
    done || true ;;
map) # the multipath device of a serial number
    path=$("$0" paths "$2" | head -n 1)
    echo "/dev/mapper/$(cat "/sys/block/$path"/holders/dm-*/dm/name)" ;;
dead) # multipath maps without a path
    for m in /sys/block/dm-*; do
        grep -qs ^mpath- "$m/dm/uuid" && [ -z "$(ls "$m/slaves")" ] && echo "$m"
    done || true ;;
fingerprint) # what the role can change: files with their times, services, sessions, maps, mounts
    find /etc/iscsi /etc/multipath /etc/multipath.conf* /etc/fstab /mnt -printf '%p %y %m %s %T@\n' 2>/dev/null | sort || true
    systemctl is-enabled iscsid.socket iscsid open-iscsi multipathd 2>&1 || true
    systemctl is-active multipathd 2>&1 || true
    ls /sys/class/iscsi_session 2>/dev/null || true
    cat /sys/block/dm-*/dm/uuid 2>/dev/null || true
    findmnt -rno TARGET,SOURCE | sort ;;
*) echo "look.sh: unknown: $1" >&2; exit 2 ;;
esac
