#!/bin/bash -eu
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs on the client: two writers that write past all caches without a pause (pulse.py), one to a multipath disk at OFFSET, one to a
# disk of the VM's own, whose pauses are those of a busy machine. Beside them fio writes and reads back what it wrote in the first 16 MiB
# of the multipath disk, several at once. usage: pulse.sh start DEVICE OFFSET | pulse.sh stop
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
    done
    # Its own load must not be what delays it on an emulated processor.
    setsid fio --name=fio --filename="$2" --size=16m --direct=1 --ioengine=libaio --iodepth=4 --bs=4k --rw=randwrite --rate_iops=20 \
        --verify=crc32c --verify_backlog=32 --verify_fatal=1 --time_based --runtime=3600 --output-format=json --output="$run-fio.json" \
        > "$run-fio" 2>&1 < /dev/null &
    echo $! > "$run-fio.pid" ;;
stop)
    kill -TERM "$(cat "$run-fio.pid")"
    for name in disk local; do echo stop > "$run-$name.stop"; done
    for name in disk local; do
        timeout 30 sh -c "until grep longest $run-$name; do sleep 0.5; done"
    done
    timeout 60 tail --pid="$(cat "$run-fio.pid")" -f /dev/null
    python3 - "$run-fio.json" << 'END' ;;
import json, sys
text = open(sys.argv[1]).read()
job = json.loads(text[text.index("{"):])["jobs"][0]
print(json.dumps(dict(error=job["error"], writes=job["write"]["total_ios"], reads=job["read"]["total_ios"],
                      longest=round(max(job[kind]["lat_ns"]["max"] for kind in ("read", "write")) / 1e9, 3))))
END
esac
