# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a play, and kill all its processes as soon as the compiler works on the modules.

usage: interrupt.py SSH_CONFIG COMMAND...

Fails when the play ends before, or the compiler is not seen within five minutes.
"""
import os
import signal
import subprocess
import sys
import time

COMPILES = "grep -qs '^== build modules by DKMS' /usr/src/cephgate-scst/build-*.log && pidof cc1 ld modpost"


def main(ssh_config, *command):
    play = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    end = time.monotonic() + 300
    try:
        while subprocess.call(["ssh", "-F", ssh_config, "builder", COMPILES], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
            if play.poll() is not None:
                sys.exit("the play ended before it was interrupted:\n%s" % play.stdout.read())
            if time.monotonic() > end:
                sys.exit("no compiler seen within 300 s")
            time.sleep(0.5)
    finally:
        if play.poll() is None:
            os.killpg(play.pid, signal.SIGKILL)
            play.wait()


main(*sys.argv[1:])
