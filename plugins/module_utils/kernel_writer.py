# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes to files of the kernel that may hang for as long as Ceph does, made by a process of their own.

It can be killed, which a thread cannot, and while it hangs it holds none of its master's locks. It is one process for all writes, with a thread
for each: a take-over makes a hundred at once, and a process for each cost 70 ms of an emulated processor. This file is the
process, too: it reads {number, path, text} as JSON, a line each, and answers {number, errno}, in the order in which the writes end.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import json
import os
import signal
import subprocess
import sys
import threading


class _Worker(object):
    """The process as its master sees it."""

    def __init__(self):
        # Not the compiled file that Python 2 names; and nothing of what site-packages would load.
        source = __file__[:-1] if __file__.endswith('.pyc') else __file__
        self.process = subprocess.Popen([sys.executable, '-E', '-S', source], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        universal_newlines=True, close_fds=True)
        self.over = False      # takes no more
        self._lock = threading.Lock()
        self._number = 0
        self._pending = {}     # {number: [event, errno]}
        reader = threading.Thread(target=self._read)
        reader.daemon = True
        reader.start()

    def _read(self):
        for line in iter(self.process.stdout.readline, ''):
            answer = json.loads(line)
            with self._lock:
                waiting = self._pending.pop(answer['number'], None)
            if waiting:
                waiting[1] = answer['errno']
                waiting[0].set()
        with self._lock:
            self.over = True
            left, self._pending = self._pending, {}
        for waiting in left.values():
            waiting[0].set()
        self.process.wait()

    def write(self, path, text, seconds):
        """errno, or None when the process was gone before the end of the write was known. Raises EnvironmentError when it takes none."""
        waiting = [threading.Event(), None]
        with self._lock:
            self._number += 1
            number = self._number
            try:
                self.process.stdin.write(json.dumps(dict(number=number, path=path, text=text)) + '\n')
                self.process.stdin.flush()
            except EnvironmentError:
                self.over = True
                raise
            self._pending[number] = waiting  # the reader waits for this lock
        ended = waiting[0].wait(seconds)
        with self._lock:
            self._pending.pop(number, None)
            self.over = self.over or not ended
            # Not before: the others in it may still come to a good end.
            if self.over and not self._pending:
                self.process.kill()
        return waiting[1] if ended else errno.ETIMEDOUT


class Writer(object):
    """write(path, text): errno of one write(2), 0 when it succeeded, ETIMEDOUT when it took too long (what it does then is not known).

    Raises EnvironmentError when there is no process to make it. seconds: that a write may take
    """

    def __init__(self, seconds):
        self.seconds = seconds
        self._lock = threading.Lock()
        self._worker = None

    def start(self):
        """Before it is needed in a hurry."""
        with self._lock:
            if self._worker is None or self._worker.over:
                self._worker = _Worker()
            return self._worker

    def write(self, path, text):
        try:
            found = self.start().write(path, text, self.seconds)
        except EnvironmentError:
            found = self.start().write(path, text, self.seconds)  # it had just ended
        if found is None:
            raise OSError(errno.EPIPE, 'the process that writes to %s ended before it had an answer' % path)
        return found


def serve(lines, say):
    """The process. Its end ends what is under way."""
    lock = threading.Lock()

    def work(request):
        try:
            handle = os.open(request['path'], os.O_WRONLY)
            try:
                os.write(handle, request['text'].encode('utf-8'))
            finally:
                os.close(handle)
            code = 0
        except EnvironmentError as error:
            code = error.errno
        with lock:
            say(json.dumps(dict(number=request['number'], errno=code)) + '\n')

    for line in iter(lines.readline, ''):
        thread = threading.Thread(target=work, args=(json.loads(line),))
        thread.daemon = True
        thread.start()


def main():
    # systemd tells all processes of a service to end, and the master has images to unmap then.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def say(text):
        sys.stdout.write(text)
        sys.stdout.flush()

    serve(sys.stdin, say)
    os._exit(0)


if __name__ == '__main__':
    main()
