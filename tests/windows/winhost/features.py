# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the MPIO feature [1]: ServerManagerCmd, ocsetup, DISM, and what the cmdlets do."""


def install(host):
    """Whether anything was to be done. The driver is there after the next boot."""
    if host.feature == 'absent':
        host.feature = 'pending'
        return True
    return False


def servermanagercmd(host, argv, stdin):
    if argv[0].lower() == '-query':
        return 0, """
Servermanagercmd.exe

----- %s -----

[ ] Active Directory Certificate Services  [AD-Certificate]
    [ ] Certification Authority  [ADCS-Cert-Authority]

----- %s -----

[ ] .NET Framework 3.0 Features  [NET-Framework]
[%s] %s  [Multipath-IO]
[ ] Network Load Balancing  [NLB]
""" % (host.say('Roles'), host.say('Features'), ' ' if host.feature == 'absent' else 'X', host.say('Multipath I/O'))
    host.wrote('servermanagercmd', *argv)
    if [word.lower() for word in argv] != ['-install', 'multipath-io']:
        return 4, 'ArgumentNotValid\n'
    if not install(host):
        return 1003, host.say('NoChange: No changes were made because the roles and features specified are already installed.') + '\n'
    return 3010, host.say('Success: Installation succeeded. A restart is required.') + '\n'


def cmd_start_ocsetup(host, argv, stdin):
    """ocsetup does not wait for itself without start /w."""
    host.wrote('ocsetup', *argv)
    assert [word.lower() for word in argv] == ['/c', 'start', '/w', 'ocsetup', 'multipathio'], argv
    install(host)
    return 3010, ''


def dism(host, argv, stdin):
    words = [word.lower() for word in argv]
    if '/get-featureinfo' in words:
        assert '/english' in words, 'the state is localised without /english'
        return 0, '\nFeature Name : MultipathIo\nState : %s\n' % dict(
            absent='Disabled', pending='Enable Pending', installed='Enabled')[host.feature]
    host.wrote('dism', *argv)
    assert '/norestart' in words, 'dism would ask, or reboot'
    if '/featurename:multipathio' not in words or '/enable-feature' not in words:
        return 0x800f080c, ''
    return (3010 if install(host) else 0), ''
