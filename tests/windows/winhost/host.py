# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one Windows host: what survives a reboot, what only a reboot brings, and what was asked of it."""
import datetime

from . import iscsi, programs, powershell
from .personality import PERSONALITIES
from .registry import Registry

CLAIMED = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\MPDEV', 'MPIOSupportedDeviceList'
INITIATOR_CLASS = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4D36E97B-E325-11CE-BFC1-08002BE10318}'
# The clock of a host starts here, in the seconds of the clock that it is given.
EPOCH = datetime.datetime(2026, 1, 5, 8, 0, 0)


class Down(Exception):
    """The host does not answer: it reboots, or the connection was dropped on request."""


class Host:
    """clock: callable() -> seconds; reboot_time: seconds that a reboot takes; vendor and product: of all LUNs

    mpclaim_late: mpclaim.exe is there after the reboot only; that it comes with the installation is not known for every version
    removes_all_equal: whether RemovePersistentTarget takes all of several equal logins, which is not known either
    """

    def __init__(self, personality='2008', language='en', clock=None, name='iqn.1991-05.com.microsoft:host', reboot_time=20,
                 vendor='CEPHGATE', product='RBD', diskpart_gap=15, mpclaim_late=False, removes_all_equal=False):
        self.personality = PERSONALITIES[personality]
        self.language = language
        self.clock = clock
        self.reboot_time = reboot_time
        self.hardware_id = vendor.ljust(8) + product.ljust(16)
        self.diskpart_gap = diskpart_gap
        self.mpclaim_late = mpclaim_late
        self.removes_all_equal = removes_all_equal
        self.registry = Registry()
        self.feature = 'absent'
        # A program that needs the host's reboot to take effect changes these at boot only.
        self.claims = []
        self.policies = {}
        self.service = dict(start=3, running=False)
        self.iscsi = iscsi.Initiator(self, name)
        self.disks = {}
        self.last_diskpart = None
        # What tests look at.
        self.commands, self.writes, self.unknown, self.reboots = [], [], [], 0
        self.shutdown_at = self.up_at = None
        self.drop = None
        # {verb of iscsicli: status that it answers with}, to have every error
        self.iscsi_errors = {}
        self.script = None
        self.calls = 0
        self.fill_registry()
        self.booted_at = clock() - 3600

    def fill_registry(self):
        version = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'
        self.registry.set(version, 'CurrentVersion', 'REG_SZ', self.personality.current_version)
        if self.personality.major:
            self.registry.set(version, 'CurrentMajorVersionNumber', 'REG_DWORD', self.personality.major)
        # [5]: the instance of the initiator's driver is found by its description.
        description = {'de': 'Microsoft iSCSI-Initiator'}.get(self.language, 'Microsoft iSCSI Initiator')
        self.registry.set(INITIATOR_CLASS + '\\0000', 'DriverDesc', 'REG_SZ', 'LSI Adapter, SAS 3000 series')
        self.registry.set(INITIATOR_CLASS + '\\0001', 'DriverDesc', 'REG_SZ', description)
        for name, value in dict(LinkDownTime=15, MaxRequestHoldTime=60, EnableNOPOut=0).items():
            self.registry.set(INITIATOR_CLASS + '\\0001\\Parameters', name, 'REG_DWORD', value)
        self.registry.set('HKLM\\SYSTEM\\CurrentControlSet\\Services\\Disk', 'TimeOutValue', 'REG_DWORD', 60)
        self.store_service()

    def store_service(self):
        self.registry.set('HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSiSCSI', 'Start', 'REG_DWORD', self.service['start'])

    # time

    def tick(self):
        """Let happen what the clock says; whether the host answers now."""
        now = self.clock()
        if self.shutdown_at is not None and now >= self.shutdown_at:
            self.up_at, self.shutdown_at = self.shutdown_at + self.reboot_time, None
            self.iscsi.drop_all()
            self.reboots += 1
        if self.up_at is not None and now >= self.up_at:
            self.booted_at, self.up_at = self.up_at, None
            self.boot()
        return self.up_at is None

    def boot(self):
        """[3] claims take effect at a reboot; [4] persistent logins are made when the service starts."""
        if self.feature == 'pending':
            self.feature = 'installed'
        self.claims = list(self.registry.get(*CLAIMED) or []) if self.feature == 'installed' else []
        self.service['running'] = False
        if self.service['start'] == 2:
            self.start_service()

    def start_service(self):
        self.service['running'] = True
        self.iscsi.service_started()

    def boot_time(self):
        """[8] LastBootUpTime, as WMI writes it."""
        return (EPOCH + datetime.timedelta(seconds=self.booted_at)).strftime('%Y%m%d%H%M%S.500000+060')

    # commands

    def drop_at(self, number, executed):
        """Drop the connection at the call with this number from now on (0 is the next), before or after it is executed."""
        self.drop, self.calls = (number, executed), 0

    def execute(self, script):
        """Run a PowerShell script: (rc, stdout, stderr). Raises Down."""
        if not self.tick():
            raise Down('connection refused')
        dropped = self.drop is not None and self.drop[0] == self.calls
        self.calls += 1
        if dropped and not self.drop[1]:
            raise Down('connection dropped before the command ran')
        result = powershell.run(self, script)
        if dropped:
            raise Down('connection dropped after the command ran')
        return result

    def program(self, argv, stdin=None):
        """(rc, stdout) of a program; None when there is none of this name."""
        name = argv[0].lower()
        name = name[:-4] if name.endswith('.exe') else name
        handler = programs.find(self, name)
        self.commands.append(list(argv))
        if handler is None:
            self.unknown.append(list(argv))
            return None
        return handler(self, argv[1:], stdin)

    def wrote(self, *words):
        """Called by a program for a command that writes, whether it changes anything or not."""
        self.writes.append(list(words))

    def say(self, text):
        from .language import say
        return say(self.language, text)
