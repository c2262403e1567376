# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sc.exe [2] and shutdown.exe [8]."""
import re

MISSING = '[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n\nThe specified service does not exist as an installed service.\n\n'


def sc(host, argv, stdin):
    verb, name = argv[0].lower(), argv[1].lower()
    if name == 'mpio':
        # [1] the driver's service is there when the feature is.
        if verb == 'query' and host.feature != 'absent':
            return 0, state(name, '1  KERNEL_DRIVER', host.feature == 'installed')
        return 1060, MISSING
    if name != 'msiscsi':
        return 1060, MISSING
    if verb == 'query':
        return 0, state(name, '20  WIN32_SHARE_PROCESS', host.service['running'])
    if verb == 'config':
        host.wrote('sc', *argv)
        # The space after the equals sign is required, so these are two words.
        if argv[2:] != ['start=', 'auto']:
            return 1639, 'DESCRIPTION:\n'
        host.service['start'] = 2
        host.store_service()
        return 0, '[SC] ChangeServiceConfig SUCCESS\n'
    if verb == 'start':
        host.wrote('sc', *argv)
        if host.service['running']:
            return 1056, '[SC] StartService FAILED 1056:\n\n%s\n\n' % host.say('An instance of the service is already running.')
        if host.service['start'] == 4:
            return 1058, '[SC] StartService FAILED 1058:\n\n'
        host.start_service()
        return 0, state(name, '20  WIN32_SHARE_PROCESS', True)
    raise AssertionError('sc %s is not emulated' % ' '.join(argv))


def state(name, kind, running):
    return """
SERVICE_NAME: %s
        TYPE               : %s
        STATE              : %s
                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)
        WIN32_EXIT_CODE    : %s
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
""" % (name, kind, '4  RUNNING' if running else '1  STOPPED', '0  (0x0)' if running else '1077  (0x435)')


def shutdown(host, argv, stdin):
    host.wrote('shutdown', *argv)
    words = ' '.join(argv).lower()
    seconds = re.search(r'/t (\d+)', words)
    assert '/r' in words and seconds, 'shutdown %s is not emulated' % words
    # [8] /t 0 races with WinRM's answer.
    assert int(seconds.group(1)) > 0, 'shutdown /t 0'
    if host.shutdown_at is not None:
        return 1190, host.say('A system shutdown has already been scheduled.(1190)') + '\n'
    host.shutdown_at = host.clock() + int(seconds.group(1))
    return 0, ''
