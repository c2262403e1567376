# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what Windows prints: win_iscsi_session, win_mpio, win_disk and win_info. The texts are captures and Microsoft's own formats."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_disks, win_host, win_mpio_plan, win_text

SESSIONS = r'''Microsoft iSCSI Initiator Version 6.1 Build 7601

Total of 2 sessions

Session Id             : fffffa800f7900a8-400001370000000d
Initiator Node Name    : iqn.1991-05.com.microsoft:host
Target Node Name       : (null)
Target Name            : iqn.2026-11.com.example.cephgate:gw1
ISID                   : 40 00 01 37 00 00
TSID                   : 27 00
Number Connections     : 1

    Connections:

        Connection Id     : fffffa800f7900a8-1b
        Initiator Portal  : 0.0.0.0/58847
        Target Portal     : 192.168.1.108/3260
        CID               : 01 00

    Devices:
        Device Type            : Disk
        Device Number          : 1
        Storage Device Type    : 7
        Partition Number       : 0
        Friendly Name          : VENDOR PRODUCT SCSI Disk Device
        Device Description     : Disk drive
        Reported Mappings      : Port 1, Bus 0, Target Id 0, LUN 0
        Location               : Bus Number 0, Target Id 0, LUN 0
        Initiator Name         : ROOT\ISCSIPRT\0000_0
        Target Name            : iqn.2026-11.com.example.cephgate:somethingelse
        Legacy Device Name     : \\.\PhysicalDrive1
        Device Instance        : 0x82c
        Volume Path Names      :
                                 E:\

Session Id             : fffffa800f7900a8-400001370000000e
Initiator Node Name    : iqn.1991-05.com.microsoft:host
Target Node Name       : (null)
Target Name            : iqn.2026-11.com.example.cephgate:gw2
ISID                   : 40 00 01 37 00 00
TSID                   : 27 00
Number Connections     : 0

    Devices:

The operation completed successfully. '''

PERSISTENT = r'''Microsoft iSCSI Initiator Version 6.0 Build 6000

Total of 2 peristent targets
    Target Name           : iqn.2026-11.com.example.cephgate:gw1
    Address and Socket    : 192.0.2.11 3260
    Session Type          : Data
    Initiator Name        : ROOT\ISCSIPRT\0000_0
    Port Number           : <Any Port>
    Security Flags        : 0x0
    Version              : 0
    Information Specified: 0x20
    Login Flags          : 0x2
                           Multipath Enabled
    Authentication Type  : CHAP
    Username             :{}
    Password             : <is established>

    Target Name           : iqn.2026-11.com.example.cephgate:gw2
    Address and Socket    : * 0
    Session Type          : Data
    Initiator Name        :{}
    Port Number           : <Any Port>
    Security Flags        : 0x0
    Version              : 0
    Information Specified: 0x20
    Login Flags          : 0x0

The operation completed successfully. '''.replace('{}', ' ')

PORTALS = '''Microsoft iSCSI Initiator Version 6.0 Build 6000

Total of 1 portals are persisted:

    Address and Socket   : 192.0.2.11 3260
    Symbolic Name        :{}
    Initiator Name       :{}
    Port Number          : <Any Port>
    Security Flags        : 0x0
    Version              : 0
    Information Specified: 0x0
    Login Flags          : 0x0

The operation completed successfully. '''.replace('{}', ' ')

EMPTY = 'Microsoft iSCSI Initiator Version 6.0 Build 6000\n\nThe operation completed successfully. '

QUERY = '''
SERVICE_NAME: msiscsi
        TYPE               : 20  WIN32_SHARE_PROCESS
        STATE              : %s
                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)
        WIN32_EXIT_CODE    : 0  (0x0)
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
'''


def test_sessions():
    assert win_text.sessions(SESSIONS) == [
        ('fffffa800f7900a8-400001370000000d', 'iqn.2026-11.com.example.cephgate:gw1', (('192.168.1.108', 3260),), 1, (1,)),
        ('fffffa800f7900a8-400001370000000e', 'iqn.2026-11.com.example.cephgate:gw2', (), 0, ())]


def test_the_words_do_not_matter():
    """As in a language in which every word is another one."""
    import re

    def other(text):
        return '\n'.join(re.sub(r'^(\s*)[A-Za-z][A-Za-z ]*?(\s*):', r'\1詞\2:', line) for line in text.splitlines()).replace('Total of', '共有')
    assert win_text.sessions(other(SESSIONS)) == win_text.sessions(SESSIONS)
    assert win_text.persistent(other(PERSISTENT)) == win_text.persistent(PERSISTENT)
    assert win_text.target_portals(other(PORTALS)) == win_text.target_portals(PORTALS)


def test_a_list_that_is_not_understood_is_an_error():
    with pytest.raises(win_text.Unreadable, match='counts 2 sessions, and 1 were understood'):
        win_text.sessions(SESSIONS.replace('400001370000000e', 'what-is-this'))
    with pytest.raises(win_text.Unreadable, match='counts 3 persistent logins, and 2'):
        win_text.persistent(PERSISTENT.replace('Total of 2', 'Total of 3'))


def test_persistent_logins():
    assert win_text.persistent(PERSISTENT) == [
        ('iqn.2026-11.com.example.cephgate:gw1', ('192.0.2.11', 3260), 'ROOT\\ISCSIPRT\\0000_0', 2),
        ('iqn.2026-11.com.example.cephgate:gw2', ('*', 0), '*', 0)]


def test_portals_and_nothing():
    assert win_text.target_portals(PORTALS) == [('192.0.2.11', 3260)]
    assert win_text.sessions(EMPTY) == win_text.persistent(EMPTY) == win_text.target_portals(EMPTY) == win_text.targets(EMPTY) == []


def test_an_ipv6_portal_is_compared_in_one_spelling():
    assert win_text.target_portals(PORTALS.replace('192.0.2.11', 'FD00::00A1')) == [('fd00::a1', 3260)]
    assert win_text.sessions(SESSIONS.replace('192.168.1.108/', '[fd00::a1]/'))[0].portals == (('fd00::a1', 3260),)


def test_the_name_in_the_prompt():
    assert win_text.node_name('Microsoft iSCSI Initiator Version 6.0 Build 6000\n\n[iqn.1991-05.com.microsoft:host] Enter command or ^C to exit\n') == (
        'iqn.1991-05.com.microsoft:host')
    assert win_text.node_name(EMPTY) is None


@pytest.mark.parametrize('state, number', [('4  RUNNING', 4), ('1  STOPPED', 1), ('2  START_PENDING', 2)])
def test_the_state_of_a_service(state, number):
    assert win_text.service_state(QUERY % state) == number


def test_registry_values():
    output = ('\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\MPDEV\n    MPIOSupportedDeviceList    REG_MULTI_SZ    '
              'OTHER   DISK            \\0CEPHGATERBD             \n    Number    REG_DWORD    0x78\n    Empty    REG_SZ    \n\n')
    assert win_text.registry(output) == {'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\MPDEV': {
        'mpiosupporteddevicelist': ('REG_MULTI_SZ', ['OTHER   DISK            ', 'CEPHGATERBD             ']),
        'number': ('REG_DWORD', 120), 'empty': ('REG_SZ', '')}}


@pytest.mark.parametrize('text, seconds', [
    ('LastBootUpTime=20260105080000.500000+060', 1767596400), ('LastBootUpTime=20260105070000', 1767596400),
    ('\r\r\nLastBootUpTime=20260105020000.500000-300\r\r\n', 1767596400), ('Node - HOST\r\nERROR', None)])
def test_the_time_of_the_last_boot(text, seconds):
    assert win_host.boot_time(text) == seconds


def test_a_note_of_a_reboot_counts_until_the_next_boot():
    assert win_host.waits('1000', 1000) and win_host.waits('1000', 1012)
    assert not win_host.waits('1000', 1300) and not win_host.waits(None, 1000) and not win_host.waits('rubbish', 1000)


def test_drives_of_wmic():
    output = ('\r\r\n\r\r\nIndex=1\r\r\nModel=CEPHGATE RBD Multi-Path Disk Device\r\r\nPartitions=0\r\r\nSerialNumber=3f2b  \r\r\nSize=1024\r\r\n\r\r\n'
              'Index=0\r\r\nModel=Local\r\r\nPartitions=2\r\r\nSerialNumber=\r\r\nSize=\r\r\n')
    assert [tuple(drive)[:5] for drive in win_disks.parse_drives(output)] == [
        (1, '3f2b', 'CEPHGATE RBD Multi-Path Disk Device', 0, 1024), (0, '', 'Local', 2, 0)]


@pytest.mark.parametrize('rows, found', [
    ('  Disk ###  Status         Size     Free     Dyn  Gpt\n  --------  -------------  -------  -------  ---  ---\n'
     '  Disk 0    Online           64 GB      0 B\n  Disk 1    Offline          20 GB    20 GB\n', {0: 'Online', 1: 'Offline'}),
    ('  Datenträger ###  Status\n  Datenträger 0    Online           64 GB      0 B\n* Datenträger 12   Nicht bereit     20 GB    20 GB\n',
     {0: 'Online', 12: 'Nicht bereit'}),
    ('  磁盘 0    联机           64 GB      0 B\n  磁盘 1    脱机           20 GB    20 GB        *\n', {0: '联机', 1: '脱机'}),
])
def test_states_of_disks(rows, found):
    assert win_disks.states(rows) == found


def test_hardware_ids_are_filled_with_blanks():
    assert win_mpio_plan.hardware_id('CEPHGATE', 'RBD') == 'CEPHGATERBD             '
    for vendor, product in (('TOOLONGVENDOR', 'RBD'), ('', 'RBD'), ('A', 'with "quotes"')):
        with pytest.raises(Exception, match='is not a SCSI'):
            win_mpio_plan.hardware_id(vendor, product)
