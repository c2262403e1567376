# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A device: what add_device makes, when its backing store is open, how it goes away."""
import errno

from .text import U64, fail, kstrtol, kstrtoul, lexem, same_word, token

TYPES = {'vcdrom': '5 - CD-ROM device'}
DISK_TYPE = '0 - Direct-access device (e.g., magnetic disk)'
NULLIO_SIZE = 5 * 1024 ** 4 // 2
ID_MAX = 25           # t10_dev_id
FLAGS = ('write_through', 'nv_cache', 'o_direct', 'read_only', 'removable', 'active', 'bind_alua_state',
         'rotational', 'thin_provisioned', 'lb_per_pb_exp', 'cluster_mode')
NO_APP_TAG = 0
DIF_MODES = ('tgt', 'scst', 'dev_check', 'dev_store')


def _crc32c_table():
    table = []
    for value in range(256):
        for _bit in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = _crc32c_table()


def device_number(setup_id, name):
    """Number from which usn and t10_dev_id are generated: raw crc32c of the name and its NUL."""
    crc = 0
    for byte in name.encode('latin-1') + b'\0':
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return (setup_id << 32) % U64 | crc


class Device:
    """A virtual disk or, with handler None, a local SCSI device."""

    def __init__(self, core, handler, name):
        self.core = core
        self.handler = handler
        self.name = name
        self.dir = None
        self.luns = []             # LUNs that export it, copy manager included
        self.exports = 0           # the next exportN: numbers are never used again
        self.sessions_using = 0    # SCST's tgt_devs: a session that sees it as a LUN
        self.handle = None         # open backing store
        self.device_group = None
        personality = core.personality
        self.type = TYPES.get(handler, DISK_TYPE)
        self.blockio = handler == 'vdisk_blockio'
        self.nullio = handler == 'vdisk_nullio'
        self.cdrom_empty = handler == 'vcdrom'
        self.threads_default = {'vdisk_blockio': 1, 'vdisk_nullio': personality.nullio_threads}.get(handler, 8)
        self.threads_num = self.threads_default
        self.threads_pool = 'per_initiator'
        self.max_tgt_dev_commands = self.max_tgt_dev_commands_default = 64 if handler else 0
        self.numa_node_id = -1
        self.blocks = 0
        self.pr_file_name = None
        self.cluster_mode = 0
        if handler is None:
            return
        number = '%x' % device_number(core.setup_id, name)
        self.values = {
            't10_dev_id': ('%s-%s' % (number, name))[:ID_MAX],
            't10_vend_id': 'SCST_BIO' if self.blockio else 'SCST_FIO',
            'vend_specific_id': ('%s-%s' % (number, name))[:ID_MAX],
            'prod_id': name[:16],
            'prod_rev_lvl': personality.prod_rev_lvl,
            'scsi_device_name': '',
            'inq_vend_specific': '',
            'usn': number[:20],
            'naa_id': '',
            'eui64_id': '',
        }
        self.set_by_hand = set()
        self.filename = None
        self.dif_filename = None
        self.dif_type = 0
        self.dif_app_tag = NO_APP_TAG
        self.dif_mode = frozenset()
        self.size = NULLIO_SIZE if self.nullio else 0
        self.block_shift = 11 if handler == 'vcdrom' else 9
        self.tst = 1
        self.write_through = self.nv_cache = self.o_direct = self.read_only = 0
        self.dummy = self.read_zero = self.use_async = self.zero_copy = 0
        self.removable = self.thin_provisioned = self.thin_capable = 0
        self.thin_by_hand = False
        self.rotational = self.active = self.bind_alua_state = self.lb_per_pb_exp = 1
        self.expl_alua = 0
        self.opt_trans_len = 524288
        self.opt_trans_len_by_hand = False
        self.reexamine_pending = False
        if handler == 'vcdrom':
            self.read_only = self.removable = 1

    # -- parameters ---------------------------------------------------------

    def parse(self, text):
        """Take the parameters of add_device."""
        allowed = self.core.personality.known_parameters if self.handler == 'vdisk_fileio' else \
            self.core.personality.add_parameters[self.handler]
        while True:
            parameter, text = token(text)
            if parameter is None:
                break
            key, rest = lexem(parameter)
            if not any(same_word(key, name) for name in allowed):
                fail(errno.EINVAL)
            value, rest = lexem(rest)
            if not value or lexem(rest)[0]:
                fail(errno.EINVAL)
            self._parameter(key.lower(), value)
        if self.size & (1 << self.block_shift) - 1:
            fail(errno.EINVAL)

    def _parameter(self, key, value):
        if key in ('filename', 'dif_filename'):
            if not value.startswith('/') or key == 'filename' and self.filename is not None:
                fail(errno.EINVAL)
            setattr(self, key, value)
        elif key == 'dif_mode':
            modes = [mode for mode in value.lower().split('|') if mode]
            if not set(modes) <= set(DIF_MODES):
                fail(errno.EINVAL)
            self.dif_mode = frozenset(modes)
        elif key == 't10_dev_id':
            self.set_t10_dev_id(value)
        elif key == 'numa_node_id' and self.core.personality.copy_manager:
            self.numa_node_id = kstrtol(value)
            if self.numa_node_id < -1:
                fail(errno.EINVAL)
        else:
            if self.core.personality.copy_manager:
                kstrtol(value)
            self._number(key, kstrtoul(value))

    def _number(self, key, number):
        if key in FLAGS:
            if key == 'o_direct' and not self.core.personality.copy_manager:
                return                               # 3.0.1 ignores it
            setattr(self, key, number & 1)           # one-bit fields
            self.thin_by_hand = self.thin_by_hand or key == 'thin_provisioned'
        elif key in ('dummy', 'tst'):
            if number > 1:
                fail(errno.EINVAL)
            setattr(self, key, number)
        elif key in ('async', 'zero_copy'):
            setattr(self, {'async': 'use_async'}.get(key, key), int(number != 0))
        elif key == 'size':
            self.size = number
        elif key == 'size_mb':
            self.size = (number << 20) % U64
        elif key == 'blocksize':
            # An int holds it; its highest bit counts, so 1000 becomes 512.
            size = number & 0xffffffff or 512
            self.block_shift = size.bit_length() - 1
            if self.block_shift < 9 or self.block_shift > 30:
                fail(errno.EINVAL)
        elif key == 'dif_type':
            self.dif_type = number & 0xffffffff
        elif key == 'dif_static_app_tag':
            self.dif_app_tag = number
        else:
            fail(errno.EINVAL)

    def set_t10_dev_id(self, text):
        if len(text) > ID_MAX + 1 or len(text) == ID_MAX + 1 and not text.endswith('\n'):
            fail(errno.EINVAL)
        self.values['t10_dev_id'] = text.split('\n')[0]
        self.set_by_hand.add('t10_dev_id')

    def check(self):
        """Rules on the parameters as a whole."""
        if self.handler == 'vdisk_fileio' and self.read_only and (self.write_through or self.nv_cache):
            fail(errno.EINVAL)
        if self.has_file and self.filename is None:
            fail(errno.EINVAL)
        if self.core.personality.copy_manager:
            if self.dif_type > 3 or (self.dif_type == 0) != (not self.dif_mode and not self.dif_filename):
                fail(errno.EINVAL)
            if self.dif_type and not self.dif_mode:
                fail(errno.EINVAL)
            if not self.blockio and 'dev_check' in self.dif_mode:
                fail(errno.EINVAL)
            if self.handler == 'vdisk_fileio' and self.o_direct and not self.use_async:
                fail(errno.EINVAL)

    @property
    def has_file(self):
        return self.handler in ('vdisk_blockio', 'vdisk_fileio')

    # -- backing store ------------------------------------------------------

    def file_size(self):
        env = self.core.env
        size = env.size(self.filename)
        if self.blockio and not self.core.personality.copy_manager and not env.is_block(self.filename):
            fail(errno.EINVAL)
        return size

    def examine(self):
        """Take size and thin provisioning from the backing store (attach and re-activation)."""
        if not self.has_file:
            return
        if not self.active:
            self.reexamine_pending = True
        else:
            self.size = self.file_size()
        self.check_thin()

    def check_thin(self):
        env = self.core.env
        self.thin_capable = 0
        if not self.read_only and self.active:
            if not self.blockio or env.is_block(self.filename):
                self.thin_capable = int(env.discards(self.filename))
        if self.thin_by_hand:
            self.thin_provisioned = self.thin_provisioned and self.thin_capable
        elif self.blockio:
            self.thin_provisioned = self.thin_capable

    def open(self):
        if not self.active:
            return
        self.handle = self.core.env.open(self.filename, not self.read_only, self.blockio)

    def close(self):
        if self.handle is not None:
            self.core.env.close(self.handle)
            self.handle = None

    def use(self):
        """A session begins to see the device: the first one opens its backing store."""
        self.sessions_using += 1
        if self.handle is None and (self.has_file or self.filename_of_cdrom):
            try:
                self.open()
            except OSError:
                self.sessions_using -= 1
                raise

    @property
    def filename_of_cdrom(self):
        return self.handler == 'vcdrom' and not self.cdrom_empty

    def unuse(self):
        self.sessions_using -= 1
        if not self.sessions_using:
            self.close()

    def activate(self):
        self.active = 1
        if self.sessions_using:
            try:
                self.open()
            except OSError:
                self.active = 0
                raise
        if self.reexamine_pending:
            self.reexamine_pending = False
            self.examine()
            self.core.devices.show_thin(self)

    def deactivate(self):
        self.close()
        self.active = 0

    def alua_state_changes(self, state):
        """blockio with bind_alua_state follows the state of its local target groups."""
        if not self.blockio or not self.core.personality.copy_manager or not self.bind_alua_state:
            return
        serves = state in ('active', 'nonoptimized')
        if self.active and not serves:
            self.deactivate()
        elif not self.active and serves:
            try:
                self.activate()
            except OSError:
                pass                                 # the kernel only logs it
