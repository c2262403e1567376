#!/bin/bash -eu
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on the client: two writers that write past all caches without a pause (pulse.py), one to a multipath disk at OFFSET, one to a
# disk of the VM's own, whose pauses are those of a busy machine. usage: pulse.sh start DEVICE OFFSET | pulse.sh stop
run=/run/clienttest-pulse
case $1 in
start)
    fallocate -l 4096 /var/tmp/clienttest-local
    for job in "disk $2 $3" "local /var/tmp/clienttest-local 0"; do
        read -r name device offset <<< "$job"
        rm -f "$run-$name.stop"
        mkfifo "$run-$name.stop"
        # A pulse ends when its input can be read, or ends: this one is held open by itself.
        setsid bash -c "exec 3<>$run-$name.stop; exec python3 /usr/local/sbin/clienttest-pulse.py $device $offset <&3" \
            > "$run-$name" 2>&1 < /dev/null &
    done ;;
stop)
    for name in disk local; do echo stop > "$run-$name.stop"; done
    for name in disk local; do
        timeout 30 sh -c "until grep longest $run-$name; do sleep 0.5; done"
    done ;;
esac
