# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases: what is being done, for how long, and what failed where."""
from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time


class LabError(Exception):
    """A step of the lab failed.

    where: the machine or part it failed on ("gw1", "image", "ceph");
    step: what was being done; found: what was seen; remedy: what the reader can do;
    log: path of a log whose last lines are shown.
    """

    def __init__(self, where, step, found, remedy="", log=None):
        super().__init__(found)
        self.where, self.step, self.found, self.remedy, self.log = where, step, found, remedy, log

    def __str__(self):
        text = "FAILED on %s, while: %s\n  found: %s" % (self.where, self.step, str(self.found).strip().replace("\n", "\n         "))
        if self.remedy:
            text += "\n  to do: %s" % self.remedy
        lines = tail(self.log, 25) if self.log else []
        if lines:
            text += "\n  last lines of %s:\n%s" % (self.log, "\n".join("  | " + line for line in lines))
        return text


def tail(path, count):
    """Last COUNT non-empty lines of a log, without terminal escapes that would garble the reader's screen."""
    try:
        with open(path, "rb") as f:
            f.seek(0, os.SEEK_END)
            f.seek(max(0, f.tell() - 16384))
            text = f.read().decode("utf-8", "replace")
    except OSError:
        return []
    clean = "".join(c for c in text if c.isprintable() or c in "\n\t")
    return [line for line in clean.splitlines() if line.strip()][-count:]


class Progress:
    """Prints phases as they start and end; a heartbeat every 15 s says what a long one is at.

    Times are kept in FILE (JSON, phase name -> seconds of its last run) so that one table covers
    the phases of several commands, as `make lab` runs them.
    """

    HEARTBEAT = 15

    def __init__(self, file=None):
        self.file = str(file) if file else None
        self.start = time.monotonic()
        self.lock = threading.Lock()

    def say(self, text):
        with self.lock:
            print("[%6.1f s] %s" % (time.monotonic() - self.start, text), flush=True)

    @contextlib.contextmanager
    def phase(self, name, state=None):
        """Time a phase. STATE: optional callable giving a few words for the heartbeat."""
        began = time.monotonic()
        stop = threading.Event()

        def beat():
            while not stop.wait(self.HEARTBEAT):
                self.say("%s … %d s%s" % (name, time.monotonic() - began, ", " + state() if state else ""))

        self.say("%s …" % name)
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            self.say("%s failed after %.1f s" % (name, time.monotonic() - began))
            raise
        finally:
            stop.set()
        took = time.monotonic() - began
        self.say("%s done in %.1f s" % (name, took))
        self.record(name, took)

    def record(self, name, seconds):
        if not self.file:
            return
        with self.lock:
            times = load_times(self.file)
            times.pop(name, None)
            times[name] = round(seconds, 1)
            os.makedirs(os.path.dirname(self.file), exist_ok=True)
            with open(self.file + ".new", "w") as f:
                json.dump(times, f, indent=1)
            os.replace(self.file + ".new", self.file)


def load_times(file):
    try:
        with open(file) as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def print_table(times, out=sys.stdout):
    """The measured phases as a table; those that ran inside another ("up: …" in "up") stand below it and are not added up."""
    width = max([len(name) for name in times] + [10]) + 2

    def row(name, seconds):
        print("%s %10.1f" % (name.ljust(width), seconds), file=out)

    print("%s    seconds" % "phase".ljust(width), file=out)
    total = 0.0
    for name, seconds in times.items():
        around = name.split(": ")[0]
        if around != name and around in times:
            continue
        total += seconds
        row(name, seconds)
        for inner in times:
            if inner.startswith(name + ": "):
                row("  " + inner, times[inner])
    row("together", total)
