# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: verified data through a multipath device while the gateway that serves it dies and comes back."""
from __future__ import annotations

import json
import random
import subprocess
import threading
import time

import accel
import cluster
import config
import fiolog
import scst
import ssh
import topology
from progress import LabError, Progress
from vm import Vm

CLIENT = topology.CLIENT
WORK = "/run/lab-proof"
RATE, WRITES = 40, 2000
# the last MiB of the device belongs to the writer of generations, the rest to fio
TAIL = 1 << 20
KILL_AFTER = 10
# breaking a dead gateway's rbd lock takes up to 30 s (OSD watch timeout), emulation may double what comes on top
LONGEST_PAUSE = 90
RETURN_SECONDS = 300


class Failed(LabError):
    """Something the proof wants to show is not so."""

    def __init__(self, step, found, remedy="see docs and the logs of the hosts: journalctl on the gateways, multipathd on the client"):
        super().__init__(CLIENT.name, "proof: " + step, found, remedy)


def prove(progress, image=None, restore=None):
    """Run the whole proof on IMAGE (default: the largest that nothing uses). RESTORE: command that brings a gateway back."""
    say = progress.say
    facts = topology.ask()
    luns = topology.join(facts)
    for lun in luns:
        if lun.maps:
            touch(lun)
    facts = topology.ask()
    luns = topology.join(facts)
    say("topology:")
    topology.show(facts, luns, say)
    complain("the topology", [p for lun in luns for p in lun.problems()])
    lun = choose(luns, image)
    gateway = lun.active_gateways()[0]
    device = "/dev/mapper/" + lun.map["name"]
    say("image %s is served by %s and written through %s" % (lun.image, gateway, device))

    ssh.call(CLIENT, "rm -rf %s && mkdir -p %s" % (WORK, WORK), "preparing")
    fio = Fio(device, lun.map["bytes"] - TAIL)
    with progress.phase("proof: write and verify"):
        fio.short()
    writer = Writer(device, lun.map["bytes"] - TAIL)
    writer.start()
    try:
        fail_over_and_back(progress, lun, gateway, fio, writer, restore)
    finally:
        writer.stop()


def fail_over_and_back(progress, lun, gateway, fio, writer, restore):
    say = progress.say
    with progress.phase("proof: fail over under load"):
        fio.start()
        time.sleep(KILL_AFTER)
        victim = Vm(config.HOSTS[gateway])
        killed = time.time()
        victim.kill()
        ssh.forget(victim.host)
        say("killed %s (power cut) under a load of %d verified writes/s" % (gateway, RATE))
        times = fio.finish()
    pause, began = fiolog.longest_pause(times)
    say("fio: %d writes, longest pause %.1f s (began %.1f s after the kill), every block verified" % (len(times), pause, began - killed))
    if pause > LONGEST_PAUSE:
        raise Failed("the pause of I/O", "%.1f s without a completed write, wanted at most %d s" % (pause, LONGEST_PAUSE))
    if times[-1] < killed:
        raise Failed("the load", "fio had ended before the kill", "the proof's WRITES and RATE do not fit together")
    survivors = topology.join(topology.ask(without=gateway))
    now = next(one for one in survivors if one.serial == lun.serial).active_gateways()
    if not now or gateway in now:
        raise Failed("the fail-over", "I/O goes through %s after %s was killed" % (" and ".join(now) or "no path", gateway))
    say("I/O goes through %s now" % now[0])

    with progress.phase("proof: %s comes back" % gateway):
        came_back = time.time()
        bring_back(progress, victim, restore)
        luns = wait_for_paths(lun)
    result = writer.finish()
    for length, at in result["pauses"]:
        say("generations: pause of %.1f s, %s" % (length, "after the kill" if at < came_back else "after %s was started again" % gateway))
    say("generations: %d writes acknowledged from before the kill (%.0f s ago) until now, none lost, none reverted" % (
        result["writes"], time.time() - killed))
    fio.verify_again()
    writer.check()
    say("all data verified once more after %s came back" % gateway)
    say("topology:")
    topology.show(topology.ask(), luns, say)
    say("PROVED: longest I/O pause %.1f s, no byte lost, both gateways serve" % pause)


def complain(step, problems):
    if problems:
        raise Failed(step, "\n".join(problems))


def touch(lun):
    """One read, so that dm-multipath has chosen a path group (it does so at the first I/O)."""
    ssh.call(CLIENT, "timeout 60 dd if=/dev/mapper/%s of=/dev/null bs=4k count=1 iflag=direct status=none" % lun.map["name"],
             "reading the first block of %s" % lun.image)


def choose(luns, image):
    if image:
        found = [lun for lun in luns if lun.image == image]
        if not found:
            raise Failed("choosing an image", "%s is not among: %s" % (image, " ".join(one.image for one in luns)), "give one of these")
        return found[0]
    free = [lun for lun in luns if not lun.map["used"]]
    if not free:
        raise Failed("choosing an image", "every multipath device is mounted or held", "unmount one: the proof overwrites it")
    return max(free, key=lambda lun: (lun.map["bytes"], lun.image))


def bring_back(progress, victim, restore):
    # not recorded: these would replace the times of the lab's own start
    progress = Progress()
    made = cluster.choose_image(progress)
    cluster.bring(progress, victim, made, accel.choose(made, progress))
    scst.provide(progress, victim.host)
    if restore:
        command = restore.replace("{host}", victim.host.name)
        log = config.LOG / "restore.log"
        with open(log, "wb") as f:
            code = subprocess.call(command, shell=True, cwd=config.CHECKOUT, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        if code:
            raise LabError(victim.host.name, "proof: bringing the gateway back", "exit %d from: %s" % (code, command), log=log)


def wait_for_paths(lun):
    """Until nothing is wrong with any LUN and I/O of LUN is where it was."""
    end = time.monotonic() + RETURN_SECONDS
    while True:
        luns = topology.join(topology.ask())
        problems = [p for one in luns for p in one.problems()]
        if not problems:
            return luns
        if time.monotonic() > end:
            raise Failed("both gateways' paths", "\n".join(problems) + "\n%d s after the gateway was started" % RETURN_SECONDS)
        time.sleep(2)


class Fio:
    """Verified random writes. Every run writes each block once; crc32c and the seed in each block's header tell lost ones."""

    def __init__(self, device, size, writes=WRITES):
        self.writes = writes
        self.seed = random.randrange(1, 1 << 31)
        self.common = ("cd %s && fio --filename=%s --direct=1 --ioengine=libaio --iodepth=4 --bs=4k --rw=randwrite --verify=crc32c"
                       " --verify_fatal=1 --output-format=json" % (WORK, device))
        self.size = size

    def short(self):
        """A bounded write of everything small and its verification."""
        size = min(self.size, 16 << 20)
        ssh.call(CLIENT, "%s --name=short --size=%d --bs=64k --do_verify=1 >short.json" % (self.common, size), "proof: write and verify", timeout=300)

    def job(self):
        return "%s --name=load --size=%d --io_size=%d --randseed=%d" % (self.common, self.size, self.writes * 4096, self.seed)

    def start(self):
        command = self.job() + " --rate_iops=%d --do_verify=1 --write_lat_log=load --log_unix_epoch=1 >load.json" % RATE
        self.done = None

        def body():
            self.done = ssh.call(CLIENT, command, "load", timeout=600, check=False)

        self.thread = threading.Thread(target=body, daemon=True)
        self.thread.start()

    def finish(self):
        """Times (of this machine's clock) at which writes ended; fails when one failed or a block does not verify."""
        self.thread.join()
        log = ssh.call(CLIENT, "cat %s/load_clat.1.log" % WORK, "proof: reading fio's log").stdout
        clock = time.time() - float(ssh.call(CLIENT, "date +%s.%N", "proof: reading the clock").stdout)
        text = ssh.call(CLIENT, "cat %s/load.json" % WORK, "proof: reading fio's result").stdout
        if self.done.returncode:
            raise Failed("verified writes during fail-over", "fio: exit %d\n%s\n%s" % (self.done.returncode, self.done.stderr[-800:], text[:800]))
        job = json.loads(text[text.index("{"):])["jobs"][0]
        writes, reads = job["write"]["total_ios"], job["read"]["total_ios"]
        if job["error"] or writes < self.writes or reads < self.writes:
            raise Failed("verified writes during fail-over", "fio: error %s, %d writes, %d verified, wanted %d" % (
                job["error"], writes, reads, self.writes))
        return [t + clock for t in fiolog.completions(log)]

    def verify_again(self):
        ssh.call(CLIENT, self.job() + " --verify_only >again.json", "proof: verifying again", timeout=300)


class Writer:
    """The writer of generations (probes/writer.py) on the client."""

    def __init__(self, device, offset):
        self.arguments = "%s %d %s/generations" % (device, offset, WORK)

    def run(self, mode, step):
        script = (config.SHARED / "probes" / "writer.py").read_text()
        return ssh.call(CLIENT, "python3 - %s %s" % (mode, self.arguments), step, timeout=900, check=False, stdin=script)

    def start(self):
        ssh.call(CLIENT, "touch %s/generations.run" % WORK, "proof: starting the writer")

        def body():
            self.done = self.run("write", "proof: writing generations")

        self.thread = threading.Thread(target=body, daemon=True)
        self.thread.start()

    def stop(self):
        """After a failure, too: it would write for ever. The client may be what failed."""
        ssh.call(CLIENT, "rm -f %s/generations.run" % WORK, "proof: stopping the writer", timeout=30, check=False)

    def finish(self):
        ssh.call(CLIENT, "rm -f %s/generations.run" % WORK, "proof: stopping the writer")
        self.thread.join()
        return self.judge(self.done)

    def check(self):
        return self.judge(self.run("check", "proof: reading generations again"))

    def judge(self, done):
        if done.returncode:
            raise Failed("generations", "the writer ended with exit %d: %s" % (done.returncode, done.stderr[-600:]))
        result = json.loads(done.stdout)
        complain("generations", result["errors"] + result["wrong"])
        return result
