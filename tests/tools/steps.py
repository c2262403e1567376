# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run steps of the Makefile: each one's output to build/log, one line of progress, a table at the end.

usage: steps.py [--needed STEP]... [--beside STEP]... [STEP]...

A step NAME is the make target NAME.run. One step alone is shown while it runs; of several only
the results are shown, and the end of the log of those that fail. All steps run even when one
fails, except that nothing runs after a failed --needed step. The --beside steps come after those,
two at a time; then the others, one by one and with the machine for themselves.

Tests are counted from the JUnit files that pytest writes to build/log/junit (NAME.xml, or
NAME-*.xml from steps that run pytest more than once); a step without such files counts as one.
"""
import argparse
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parents[2]
LOG = TOP / 'build/log'
JUNIT = LOG / 'junit'
TAIL = 40         # lines of a failed step's log that are shown
BESIDE = 2        # --beside steps at a time: most are one busy process, and the smallest machine this is for has two cores
HEARTBEAT = 60.0  # seconds between signs of life of a long step
RUNNING = set()   # process groups of the steps under way
LIMIT = 2400.0    # seconds after which a step hangs, not works: the longest is the lab's first run, 20 minutes


class Step:
    def __init__(self, name):
        self.name = name
        self.log = LOG / (name + '.log')
        self.seconds = 0.0
        self.code = None
        self.passed = self.failed = self.skipped = 0

    def run(self, show):
        """Run the step, wait for it, and count. show: copy its output to ours."""
        for old in self.reports():
            old.unlink()
        environment = dict(os.environ, PYTEST_ADDOPTS='--junitxml=%s/%s.xml' % (JUNIT, self.name),
                           PYTHONUNBUFFERED='1')
        # Options of the make that called us, such as its job server, are not for the inner one; variables
        # given on its command line are in the environment as well. And what thousands of starts import is compiled once.
        for name in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'PYTHONDONTWRITEBYTECODE'):
            environment.pop(name, None)
        started = time.monotonic()
        stopped = threading.Event()
        if not show:
            threading.Thread(target=self.heartbeat, args=(started, stopped), daemon=True).start()
        with open(self.log, 'wb') as log:
            process = subprocess.Popen(
                ['make', '--no-print-directory', self.name + '.run'], cwd=TOP, env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            RUNNING.add(process.pid)
            limit = threading.Timer(LIMIT, self.end, (process, log))
            limit.start()
            try:
                for line in process.stdout:
                    log.write(line)
                    log.flush()
                    if show:
                        sys.stdout.buffer.write(line)
                        sys.stdout.flush()
                self.code = process.wait()
            except KeyboardInterrupt:
                os.killpg(process.pid, signal.SIGINT)
                process.wait()
                raise
            finally:
                RUNNING.discard(process.pid)
                limit.cancel()
                stopped.set()
        self.seconds = time.monotonic() - started
        self.count()

    @staticmethod
    def end(process, log):
        log.write(b'steps: stopped after %d s\n' % LIMIT)
        os.killpg(process.pid, signal.SIGTERM)

    def heartbeat(self, started, stopped):
        while not stopped.wait(HEARTBEAT):
            lines = self.tail(1)
            say('  %-10s %4d s  %s' % (self.name, time.monotonic() - started, lines[0][:100] if lines else ''))

    def tail(self, count):
        lines = self.log.read_text(errors='replace').splitlines()
        return [line for line in lines if line.strip()][-count:]

    def reports(self):
        return sorted(JUNIT.glob(self.name + '.xml')) + sorted(JUNIT.glob(self.name + '-*.xml'))

    def count(self):
        reports = self.reports()
        for report in reports:
            for suite in xml.etree.ElementTree.parse(report).iter('testsuite'):
                failed = int(suite.get('failures')) + int(suite.get('errors'))
                skipped = int(suite.get('skipped'))
                self.failed += failed
                self.skipped += skipped
                self.passed += max(0, int(suite.get('tests')) - failed - skipped)
        if not reports and self.code == 0:
            self.passed = 1
        if self.code != 0 and not self.failed:
            self.failed = 1
        elif self.failed and self.code == 0:
            self.code = 1

    def row(self):
        return '  %-10s %-6s %6.0f s %7d %7d %8d' % (
            self.name, 'ok' if self.code == 0 else 'FAILED', self.seconds, self.passed, self.failed, self.skipped)


def say(line):
    print(line, flush=True)


def run(name, alone):
    """The step, done."""
    step = Step(name)
    step.run(show=alone)
    if not alone:
        say('\n'.join(['%-10s %s  %.0f s' % (name, 'ok' if step.code == 0 else 'FAILED', step.seconds)] + (
            ['    ' + line for line in step.tail(TAIL)] + ['    (all of it: %s)' % step.log.relative_to(TOP)] if step.code else [])))
    return step


def beside(names, alone):
    """The steps, done, BESIDE at a time."""
    with concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        steps = [pool.submit(run, name, alone) for name in names]
        try:
            return [step.result() for step in steps]
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for group in list(RUNNING):
                os.killpg(group, signal.SIGINT)
            raise


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--needed', action='append', default=[], metavar='STEP')
    parser.add_argument('--beside', action='append', default=[], metavar='STEP')
    parser.add_argument('steps', nargs='*', metavar='STEP')
    options = parser.parse_args()
    if not options.beside + options.steps:
        parser.error('no steps')
    JUNIT.mkdir(parents=True, exist_ok=True)
    alone = len(options.beside + options.steps) == 1 and not options.needed
    done, started = [], time.monotonic()
    for name in options.needed:
        done.append(run(name, alone))
        if done[-1].code != 0:
            say('%s is needed by all that follows: stopped' % name)
            break
    else:
        done += beside(options.beside, alone)
        done += [run(name, alone) for name in options.steps]
    if alone:
        return 1 if done[0].code else 0
    say('\n  %-10s %-6s %8s %7s %7s %8s' % ('step', 'result', 'time', 'passed', 'failed', 'skipped'))
    for step in done:
        say(step.row())
    say('  %-17s %6.0f s\n' % ('all', time.monotonic() - started))
    # The last line is read by machines: the counts and nothing else.
    say('%d passed, %d failed' % (sum(step.passed for step in done), sum(step.failed for step in done)))
    return 1 if any(step.code for step in done) else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit('interrupted')
