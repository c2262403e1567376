# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a window, spoken to through its pipe (DevTools protocol): no port, no other Python package."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ('chromium-headless-shell', 'chromium', 'google-chrome')


def program():
    for name in PROGRAMS:
        if shutil.which(name):
            return shutil.which(name)
    raise LookupError('none of %s is installed: make deps installs the first' % ', '.join(PROGRAMS))


class Browser:
    """One page at a time."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='page-test-')
        to_child, ours_out = os.pipe()
        ours_in, from_child = os.pipe()

        def pipes():
            # It reads commands from file 3 and writes answers to file 4.
            one, two = os.dup(to_child), os.dup(from_child)
            os.dup2(one, 3)
            os.dup2(two, 4)

        self.process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            [program(), '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run',
             '--disable-background-networking', '--disable-component-update', '--no-proxy-server', '--remote-debugging-pipe',
             '--user-data-dir=' + self.folder, 'about:blank'],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.out, self.into, self.rest, self.number = ours_out, ours_in, b'', 0
        self.session = None
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        self.requests = []
        self.call('Page.enable')
        self.call('Network.enable')

    def call(self, method, **parameters):
        self.number += 1
        message = dict(id=self.number, method=method, params=parameters)
        if self.session:
            message['sessionId'] = self.session
        os.write(self.out, json.dumps(message).encode() + b'\0')
        return self.until(lambda answer: answer.get('id') == self.number).get('result', {})

    def until(self, wanted, seconds=60):
        end = time.monotonic() + seconds
        while True:
            while b'\0' in self.rest:
                text, _zero, self.rest = self.rest.partition(b'\0')
                answer = json.loads(text)
                if 'error' in answer:
                    raise RuntimeError(answer['error'])
                if answer.get('method') == 'Network.requestWillBeSent':
                    self.requests.append(answer['params']['request']['url'])
                if wanted(answer):
                    return answer
            if not select.select([self.into], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError('the browser did not answer within %d s' % seconds)
            part = os.read(self.into, 1 << 20)
            if not part:
                raise RuntimeError('the browser ended')
            self.rest += part

    def open(self, path, width, dark=False, media=''):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call('Emulation.setEmulatedMedia', media=media, features=[dict(name='prefers-color-scheme', value='dark' if dark else 'light')])
        self.requests = []
        self.call('Page.navigate', url='file://%s' % path)
        self.until(lambda answer: answer.get('method') == 'Page.loadEventFired')

    def ask(self, expression):
        answer = self.call('Runtime.evaluate', expression=expression, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(answer['exceptionDetails'])
        return answer['result'].get('value')

    def picture(self, path, most=20000):
        size = self.call('Page.getLayoutMetrics')['cssContentSize']
        found = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=True, clip=dict(
            x=0, y=0, width=size['width'], height=min(size['height'], most), scale=1))
        path.write_bytes(base64.b64decode(found['data']))

    def paper(self, path):
        """A4, as a browser prints it."""
        found = self.call('Page.printToPDF', paperWidth=8.27, paperHeight=11.69, printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(found['data']))

    def close(self):
        os.close(self.out)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.into)
        shutil.rmtree(self.folder, ignore_errors=True)
