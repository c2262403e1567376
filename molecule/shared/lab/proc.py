# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: run one to its end, and recognise one that this lab started earlier."""
from __future__ import annotations

import os
import signal
import subprocess
import time

from progress import LabError


def run(argv, where, step, timeout=600, check=True, stdin=None, log=None, binary=False, **options):
    """Run ARGV, give back CompletedProcess (stdout and stderr as text, or bytes with BINARY).

    With LOG both streams go to that file instead. A non-zero exit or a time-out raises LabError
    that names WHERE and STEP, unless check is false (then a time-out gives return code 124).
    """
    sink = open(log, "ab") if log else None
    try:
        done = subprocess.run(
            [str(a) for a in argv], input=stdin, timeout=timeout,
            text=not binary, errors=None if binary else "replace",
            stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=sink or subprocess.PIPE, stderr=subprocess.STDOUT if sink else subprocess.PIPE, check=False, **options)
    except subprocess.TimeoutExpired:
        if check:
            raise LabError(where, step, "no end after %d s: %s" % (timeout, " ".join(map(str, argv))), log=log) from None
        return subprocess.CompletedProcess(argv, 124, "", "no end after %d s" % timeout)
    except FileNotFoundError as e:
        raise LabError(where, step, str(e), "install the packages that bindep.txt lists (make deps)") from None
    finally:
        if sink:
            sink.close()
    if check and done.returncode:
        seen = "" if log or binary else ((done.stderr or "") + (done.stdout or "")).strip()[-2000:]
        raise LabError(where, step, "exit %d from: %s\n%s" % (done.returncode, " ".join(map(str, argv))[:400], seen), log=log)
    return done


def read_pid(path, mark):
    """The process id in a pid file when that process lives and its command line holds MARK, else None.

    The mark (a path of this checkout) keeps a reused pid or another lab's process from being taken for ours.
    """
    try:
        with open(path) as f:
            pid = int(f.read().split()[0])
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        with open("/proc/%d/stat" % pid) as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                return None
    except (OSError, ValueError, IndexError):
        return None
    return pid if mark in line else None


def stop(pid, patience=5.0):
    """Ask a process to end, then force it; returns when it is gone."""
    for sig, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        try:
            # a stopped process (the lab's "freeze") takes SIGTERM only after it runs on
            os.kill(pid, sig)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            return
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not alive(pid):
                return
            time.sleep(0.05)
    raise LabError("process %d" % pid, "stopping it", "it still lives after SIGKILL", "look at it with: ps -fp %d" % pid)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
