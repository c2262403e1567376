# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCST's core: modules, global files, handlers and devices, all targets."""
import errno

from .alua import Alua
from .device import Device
from .device_attrs import ATTRS as DEVICE_ATTRS, DIF_ATTRS, attribute_table
from .iscsi import Driver
from .root_attrs import ROOT_ATTRS, trace_attr
from .target import CopyManagerTarget
from .text import c_string, fail, lexem, same_word
from .tree import Attr, Dir

HANDLERS = ('vdisk_blockio', 'vdisk_fileio', 'vdisk_nullio', 'vcdrom')
THIN = 'gen_tp_soft_threshold_reached_UA'


class Devices:
    """devices/ and handlers/."""

    def __init__(self, core, root):
        self.core = core
        self.by_name = {}
        self.serials = {}            # usn -> number of devices that have it
        self.dir = root.mkdir('devices')
        self.handlers_dir = root.mkdir('handlers')
        self.tables = {handler: attribute_table(core.personality, handler) for handler in HANDLERS + (None,)}
        for name, kind in core.env.scsi_devices.items():
            device = Device(core, None, name)
            device.type = kind
            self._publish(device)

    def load_handlers(self):
        for handler in HANDLERS:
            attrs = {
                'mgmt': Attr(0o644, self.core.personality.device_usage,
                             lambda owner, text: self.core.work(self.manage, owner, text)),
                'type': Attr(0o444, lambda owner: Device(self.core, owner, '').type + '\n'),
                'trace_level': self.core.trace('handler'),
            }
            self.handlers_dir.mkdir(handler, attrs, handler)

    def unload_handlers(self):
        for device in list(self.by_name.values()):
            if device.handler:
                self.remove(device)
        self.handlers_dir.entries.clear()

    def manage(self, handler, text):
        command, rest = lexem(text)
        name, rest = lexem(rest)
        if same_word(command, 'add_device') and name:
            self.add(handler, name, rest)
        elif same_word(command, 'del_device') and name and not lexem(rest)[0]:
            # Any handler's file deletes any virtual disk.
            device = self.by_name.get(name)
            if device is None or device.handler is None:
                fail(errno.EINVAL)
            self.remove(device)
        else:
            fail(errno.EINVAL)

    def add(self, handler, name, text):
        found = self.by_name.get(name)
        if found is not None and found.handler:
            fail(errno.EEXIST)
        if len(name) > self.core.personality.device_name_max:
            fail(errno.EINVAL)
        device = Device(self.core, handler, name)
        if self.serials.get(device.values['usn']):
            fail(errno.EEXIST)           # the generated serial number is somebody's
        device.parse(text)
        device.check()
        if '/' in name or '.' in name:
            fail(errno.EINVAL)
        if found is not None:
            fail(errno.EEXIST)
        if name in self.handlers_dir.get(handler):
            self._collide(handler, name)
        device.examine()
        self._publish(device)
        try:
            if self.core.targets.copy_manager:
                self.core.targets.copy_manager.attach(device)
        except OSError:
            self._unpublish(device)
            raise
        self.core.touch(device)

    def count_serial(self, usn, step):
        self.serials[usn] = self.serials.get(usn, 0) + step
        if not self.serials[usn]:
            del self.serials[usn]

    def _collide(self, handler, name):
        """A name that is a file of the handler's directory takes that file away (a bug of SCST)."""
        self.handlers_dir.get(handler).hide(name)
        self.core.stuck = True
        fail(errno.EEXIST)

    def _publish(self, device):
        device.dir = self.dir.mkdir(device.name, self.tables[device.handler], device)
        device.dir.mkdir('exported')
        self.by_name[device.name] = device
        if device.handler:
            self.count_serial(device.values['usn'], 1)
            handler = self.handlers_dir.get(device.handler)
            device.dir.link('handler', handler)
            handler.link(device.name, device.dir)
            if device.dif_type:
                for name, attr in DIF_ATTRS.items():
                    device.dir.put_file(name, attr, device)
            if device.dif_filename:
                device.dir.put_file('dif_filename', DEVICE_ATTRS['dif_filename'], device)
            self.show_thin(device)

    def show_thin(self, device):
        """The file that raises a thin provisioning event exists for thin disks of 3.10."""
        if self.core.personality.copy_manager and device.has_file and device.thin_provisioned \
                and THIN not in device.dir:
            device.dir.put_file(THIN, DEVICE_ATTRS[THIN], device)

    def _unpublish(self, device):
        self.count_serial(device.values['usn'], -1)
        self.handlers_dir.get(device.handler).remove(device.name)
        self.dir.remove(device.name)
        del self.by_name[device.name]

    def remove(self, device):
        """There is no guard: LUNs and group membership of the device go with it."""
        for lun in list(device.luns):
            lun.group.del_lun(lun.number)
        if device.device_group:
            device.device_group.forget(device)
        device.close()
        self._unpublish(device)
        self.core.touch(device)


class Targets:
    """targets/: every target of every driver, and their relative ids."""

    def __init__(self, core, root):
        self.core = core
        self.dir = root.mkdir('targets')
        self.copy_manager = None
        self.iscsi = None
        self.rel_tgt_ids = 1         # where the search for a free id goes on
        if core.personality.copy_manager:
            driver = self.dir.mkdir('copy_manager', {
                'allow_not_connected_copy': Attr(0o644, lambda owner: '0\n', lambda owner, text: None),
                'dif_capabilities': Attr(0o444, lambda owner: DIF + '\n')}, self)
            self.copy_manager = CopyManagerTarget(core, driver)

    def all(self):
        found = list(self.iscsi.targets.values()) if self.iscsi else []
        return found + ([self.copy_manager] if self.copy_manager else [])

    def find(self, name):
        return next((target for target in self.all() if target.name == name), None)

    def is_unique(self, number, target):
        """No other enabled target has it. The copy manager has 0 and counts as enabled."""
        return not any(other.rel_tgt_id == number for other in self.all()
                       if other is not target and other.is_enabled())

    def new_rel_tgt_id(self):
        for _try in range(65535):
            number = self.rel_tgt_ids
            self.rel_tgt_ids = number % 65535 + 1
            if self.is_unique(number, None):
                return number
        return fail(errno.EOVERFLOW)


DIF = 'dif_supported, hw_dif_type1_supported, hw_dif_type2_supported, hw_dif_type3_supported'


class Scst:
    """The whole of SCST on one host.

    personality: which release; env: the world around it (environment.Environment).
    Modules are loaded with load(), the iSCSI daemon runs after start_daemon().
    """

    def __init__(self, personality, env):
        self.personality = personality
        self.env = env
        self.root = None
        self.touched = {}            # objects changed since a data plane last looked
        self.cut_session = None      # set by a data plane that holds real sessions
        self.stuck = False
        self._clear()

    def _clear(self):
        self.last_result = 0
        self.setup_id = self.suspended = 0
        self.devices = self.targets = self.alua = None
        self.values = {}

    # -- modules and the daemon ---------------------------------------------

    def load(self, module):
        """Load scst, scst_vdisk or iscsi_scst, with what they depend on."""
        module = module.replace('-', '_')
        if self.root is None and module in ('scst', 'scst_vdisk', 'iscsi_scst'):
            self._load_core()
        if module == 'scst_vdisk' and not self.devices.handlers_dir.entries:
            self.devices.load_handlers()
        if module == 'iscsi_scst' and self.targets.iscsi is None:
            self.targets.iscsi = Driver(self, self.targets.dir)

    def _load_core(self):
        self._clear()
        self.values = {'threads': self.env.threads}
        attrs = {name: ROOT_ATTRS.get(name) or self.trace('root') for name in self.personality.root_attrs}
        self.root = Dir((), attrs, self)
        self.alua = Alua(self, self.root)
        self.targets = None
        targets = Targets.__new__(Targets)
        self.targets = targets
        targets.__init__(self, self.root)
        self.devices = Devices(self, self.root)
        sgv = self.root.mkdir('sgv')
        sgv.put_file('global_stats', Attr(0o644, lambda owner: ''), self)
        if self.targets.copy_manager:
            from .session import Session
            Session(self.targets.copy_manager, 'copy_manager_sess')

    def unload(self, module):
        """Unload a module; EBUSY while it is in use."""
        module = module.replace('-', '_')
        if self.root is None:
            fail(errno.ENOENT)
        if module == 'iscsi_scst' and self.targets.iscsi:
            if self.targets.iscsi.running:
                fail(errno.EBUSY)
            self.targets.dir.remove('iscsi')
            self.targets.iscsi = None
        elif module == 'scst_vdisk' and self.devices.handlers_dir.entries:
            self.devices.unload_handlers()
        elif module == 'scst':
            if self.targets.iscsi or self.devices.handlers_dir.entries:
                fail(errno.EBUSY)
            self.root = None
            self._clear()

    def start_daemon(self):
        if self.root is not None and self.targets.iscsi:
            self.targets.iscsi.start()

    def stop_daemon(self):
        if self.root is not None and self.targets.iscsi:
            self.targets.iscsi.stop()

    def start(self):
        """Everything that a gateway has after boot."""
        for module in ('scst', 'scst_vdisk', 'iscsi_scst'):
            self.load(module)
        self.start_daemon()
        return self

    # -- shared by the parts ------------------------------------------------

    def work(self, change, *arguments):
        """Run a change as SCST's work thread does: its result becomes last_sysfs_mgmt_res."""
        self.stuck = False
        try:
            change(*(c_string(a) if isinstance(a, str) else a for a in arguments))
        except OSError as error:
            self.last_result = -error.errno
            if self.stuck:
                # The writer's patience (15 s) ended before the work did.
                fail(errno.EAGAIN)
            raise
        self.last_result = 0

    def touch(self, thing):
        """An object that a data plane may have to follow changed."""
        self.touched[thing] = True

    def cut(self, session):
        """force_close: the initiator's connection is cut."""
        if self.cut_session:
            self.cut_session(session)
        else:
            session.close()

    def trace(self, part):
        return trace_attr(self.personality, part)
