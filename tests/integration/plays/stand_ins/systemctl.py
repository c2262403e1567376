# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemctl for gateway_host.py: runs the units of /etc/systemd/system, as far as the project's own need it.

A unit is kept by a process of its own, which starts it again when it ends by itself, and ends it with the gateway.
"""
import configparser
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

UNITS, RUN = pathlib.Path('/etc/systemd/system'), pathlib.Path('/run/units')
HOST = pathlib.Path('/run/host.pid')


def named(unit):
    return unit if '.' in unit else unit + '.service'


def load(unit):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    return parser if parser.read(UNITS / unit) else None


def value(unit, section, key, default=''):
    return load(unit).get(section, key, fallback=default)


def alive(number):
    try:
        return pathlib.Path('/proc/%d/stat' % number).read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def keeper(unit):
    try:
        number = int((RUN / unit).read_text())
    except (OSError, ValueError):
        return None
    return number if number == 0 or alive(number) else None


def is_active(unit):
    return keeper(unit) is not None


def start(unit):
    if load(unit) is None:
        sys.exit('Failed to start %s: Unit %s not found.' % (unit, unit))
    for other in value(unit, 'Unit', 'Wants').split():
        if load(other):
            start(other)
    if is_active(unit):
        return
    if value(unit, 'Service', 'Type') == 'oneshot':
        subprocess.run(value(unit, 'Service', 'ExecStart').split(), check=True)
        (RUN / unit).write_text('0')
        return
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    place = RUN / (unit + '.notify')
    place.unlink(missing_ok=True)
    notices.bind(str(place))
    notices.settimeout(30)
    with open(RUN / (unit + '.log'), 'a') as log:
        number = subprocess.Popen([sys.executable, '-S', __file__, 'keep', unit], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  start_new_session=True).pid
    (RUN / unit).write_text(str(number))
    if value(unit, 'Service', 'Type') == 'notify':
        try:
            while b'READY=1' not in notices.recv(4096):
                pass
        except socket.timeout:
            stop(unit)
            sys.exit('Job for %s failed because a timeout was exceeded.' % unit)


def keep(unit):
    """Run it again and again, until asked to stop or the gateway is gone."""
    child, asked = None, []
    signal.signal(signal.SIGTERM, lambda *dummy: asked.append(time.monotonic()))
    patience = float(value(unit, 'Service', 'TimeoutStopSec', '30'))
    host = int(HOST.read_text())
    told = False
    while True:
        if not alive(host) and not asked:
            asked.append(time.monotonic())
        if child is None or child.poll() is not None:
            if asked:
                return
            if child is not None:
                time.sleep(float(value(unit, 'Service', 'RestartSec', '0.1')))
            child = subprocess.Popen(value(unit, 'Service', 'ExecStart').split(),
                                     env=dict(os.environ, NOTIFY_SOCKET=str(RUN / (unit + '.notify'))))
        if asked and not told:
            child.terminate()
            told = True
        if asked and time.monotonic() > asked[0] + patience:
            child.kill()
        time.sleep(0.05)


def stop(unit):
    number = keeper(unit)
    if number is None:
        return
    if number == 0:
        (RUN / unit).unlink()
        subprocess.run(value(unit, 'Service', 'ExecStop', '/bin/true').split(), check=False)
        return
    os.kill(number, signal.SIGTERM)
    while alive(number):
        time.sleep(0.05)
    (RUN / unit).unlink()


def enabled(unit, to=None):
    mark = RUN / (unit + '.enabled')
    if to:
        mark.touch()
    elif to is False:
        mark.unlink(missing_ok=True)
    return mark.exists()


def main(verb, *words):
    now = '--now' in words
    units = [named(word) for word in words if not word.startswith('-')]
    if verb in ('daemon-reload', 'list-unit-files'):
        return 0
    if verb == 'is-system-running':
        print('stopping' if pathlib.Path('/run/stopping').exists() else 'running')
        return 0
    for unit in units:
        if verb == 'keep':
            keep(unit)
        elif verb == 'show':
            there = load(unit) is not None
            print('LoadState=%s\nActiveState=%s\nUnitFileState=%s' % (
                'loaded' if there else 'not-found', 'active' if is_active(unit) else 'inactive', 'enabled' if enabled(unit) else 'disabled'))
        elif verb == 'is-active':
            print('active' if is_active(unit) else 'inactive')
            return 0 if is_active(unit) else 3
        elif verb == 'is-enabled':
            print('enabled' if enabled(unit) else 'disabled')
            return 0 if enabled(unit) else 1
        elif verb in ('enable', 'disable'):
            for one in [unit] + value(unit, 'Install', 'Also').split():
                enabled(one, verb == 'enable')
            if now:
                (start if verb == 'enable' else stop)(unit)
        elif verb == 'start':
            start(unit)
        elif verb == 'stop':
            stop(unit)
        elif verb == 'restart':
            stop(unit)
            start(unit)
        else:
            sys.exit('systemctl.py does not know %s' % verb)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
