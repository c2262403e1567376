# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of devices/<name>/: what each shows and what writing it does."""
import errno
import re

from .device import DIF_MODES, NO_APP_TAG, NULLIO_SIZE
from .text import KERNEL_BLANKS, U64, c_string, fail, has_prefix, keyed, kstrtol, kstrtoul
from .tree import Attr

LIMITS = {'t10_vend_id': 8, 'vend_specific_id': 128, 'prod_id': 16, 'prod_rev_lvl': 4, 'scsi_device_name': 256}
INQ_VEND_SPECIFIC_MAX = 160
PR_DIR = '/var/lib/scst/pr/'


def flag(name, default=0):
    """A read-only number, marked when it differs from the default."""
    def show(device):
        value = getattr(device, name)
        return keyed(value, value != default)
    return Attr(0o444, show)


def identity(name):
    """A text that initiators see; what follows a newline is dropped."""
    def show(device):
        return keyed(device.values[name], name in device.set_by_hand)

    def store(device, text):
        text = text.split('\n')[0]
        if len(text) > LIMITS[name]:
            fail(errno.EINVAL)
        device.values[name] = c_string(text)
        device.set_by_hand.add(name)
        if name == 'scsi_device_name' and not device.values[name]:
            device.set_by_hand.discard(name)
        device.core.touch(device)
    return Attr(0o644, show, store)


def _t10_dev_id_store(device, text):
    if device.cluster_mode:
        fail(errno.EPERM)
    device.set_t10_dev_id(text)
    device.core.touch(device)


def _usn_store(device, text):
    if len(text) > 21 or len(text) == 21 and not text.endswith('\n'):
        fail(errno.EINVAL)
    devices = device.core.devices
    devices.count_serial(device.values['usn'], -1)
    device.values['usn'] = c_string(text.split('\n')[0])
    devices.count_serial(device.values['usn'], 1)
    device.set_by_hand.add('usn')
    device.core.touch(device)


def _inq_store(device, text):
    text = text.split('\n')[0]
    if len(text) > INQ_VEND_SPECIFIC_MAX:
        fail(errno.EINVAL)
    device.values['inq_vend_specific'] = text


def binary_id(name, types):
    """naa_id or eui64_id: hex digits; types maps a number of digits to allowed first digits."""
    def store(device, text):
        text = text.strip(KERNEL_BLANKS)
        if text.startswith('0x'):
            text = text[2:]
        if text and (len(text) not in types or types[len(text)] and text[0] not in types[len(text)]):
            fail(errno.EINVAL)
        if not re.fullmatch('[0-9a-fA-F]*', text):
            fail(errno.EINVAL)
        device.values[name] = text.lower()
        device.core.touch(device)

    def show(device):
        value = device.values[name]
        return keyed('0x' + value, True) if value else '\n'
    return Attr(0o644, show, store)


def size(shift, writable, release):
    """size (shift 0) and size_mb (shift 20)."""
    def show(device):
        default = device.nullio and device.size == NULLIO_SIZE
        key = (not default and not shift) if release != '3.0.1' else (device.nullio and not default)
        return keyed(device.size >> shift, key)

    def change(device, text):
        match = re.match(r'[ \t\n\v\f\r]*([+-]?[0-9]+)', text)
        if not match:
            fail(errno.EINVAL)
        value = int(match.group(1)) % U64
        if value > (U64 - 1) >> shift or value << shift & (1 << device.block_shift) - 1:
            fail(errno.EINVAL)
        device.size = value << shift
        device.core.touch(device)

    def store(device, text):
        device.core.work(change, device, text)
    return Attr(0o644 if writable else 0o444, show, store)


def _filename_show(device):
    if device.filename is None:
        return 'none\n\n'
    return '%s\n[key]\n\n' % device.filename


def _filename_change(device, text):
    if device.active and device.handler != 'vcdrom':
        fail(errno.EINVAL)
    text = c_string(text).strip(KERNEL_BLANKS)
    if device.handler == 'vcdrom':
        return _medium_change(device, text)
    if not text.startswith('/'):
        fail(errno.EINVAL)
    device.filename = text
    device.core.touch(device)
    return None


def _medium_change(device, text):
    if text and not text.startswith('/'):
        fail(errno.EINVAL)
    device.size = device.core.env.size(text) if text else 0
    device.cdrom_empty = not text
    device.filename = text or None


def _filename_store(device, text):
    device.core.work(_filename_change, device, text)


def _resync(device, _text):
    if device.core.personality.copy_manager and (device.handle is None or not device.active):
        fail(errno.EMEDIUMTYPE)
    device.size = device.file_size()
    device.core.touch(device)


def _active_change(device, text):
    value = kstrtol(text)
    if value not in (0, 1):
        fail(errno.EINVAL)
    if value != device.active:
        device.activate() if value else device.deactivate()
        device.core.touch(device)


def _cluster_change(device, text):
    value = kstrtol(text)
    if value not in (0, 1):
        fail(errno.EINVAL)
    device.cluster_mode = value


def worked(change):
    """A store that goes through SCST's work thread, so that last_sysfs_mgmt_res shows its result."""
    return lambda device, text: device.core.work(change, device, text)


def number(name, default, parse, check):
    """A writable number: parse(text), check(value); default may be a function of the device."""
    def show(device):
        value = getattr(device, name)
        return keyed(value, value != (default(device) if callable(default) else default))

    def store(device, text):
        value = parse(text)
        if not check(value):
            fail(errno.EINVAL)
        setattr(device, name, value)
    return Attr(0o644, show, store)


def truth(name, default):
    """A writable number of which only zero or not counts."""
    def show(device):
        return keyed(getattr(device, name), getattr(device, name) != default)

    def store(device, text):
        setattr(device, name, int(kstrtoul(text[:15]) != 0))
        device.core.touch(device)
    return Attr(0o644, show, store)


def _opt_trans_len_store(device, text):
    value = kstrtoul(text)
    if value & (1 << device.block_shift) - 1:
        fail(errno.EINVAL)
    device.opt_trans_len = value
    device.opt_trans_len_by_hand = True


def _threads_num_store(device, text):
    value = kstrtol(text)
    if value < 0:
        fail(errno.EINVAL)
    if value != device.threads_num:
        device.core.work(setattr, device, 'threads_num', value)


def _threads_pool_show(device):
    if device.threads_num == 0:
        return 'Async\n'
    return keyed(device.threads_pool, device.threads_pool != 'per_initiator')


def _threads_pool_store(device, text):
    for pool in ('per_initiator', 'shared'):
        if has_prefix(text, pool):
            if pool != device.threads_pool:
                device.core.work(setattr, device, 'threads_pool', pool)
            return
    fail(errno.EINVAL)


def _block_store(device, text):
    """0 ends one blocking; 1 blocks and waits; 11 or "1 1" blocks and reports with the text that follows."""
    rest = c_string(text)[1:].lstrip(KERNEL_BLANKS)
    if text[0] == '0' and not rest:
        device.blocks = max(0, device.blocks - 1)
    elif text[0] == '1' and rest[:1] in ('', '1'):
        device.blocks += 1
    else:
        fail(errno.EINVAL)


def _pr_show(device):
    return keyed(device.pr_file_name or PR_DIR + device.name, device.pr_file_name)


def _pr_change(device, text):
    if device.sessions_using:            # the copy manager's session counts
        fail(errno.EBUSY)
    device.pr_file_name = text


def _pr_store(device, text):
    if device.cluster_mode:
        fail(errno.EPERM)
    device.core.work(_pr_change, device, c_string(text).split('\n')[0] or None)


def _thin_show_301(device):
    key = device.thin_by_hand and device.thin_provisioned != device.thin_capable
    return keyed(device.thin_provisioned, key)


def _anything(_owner, _text):
    """Accept and do nothing that shows."""


ATTRS = {
    'type': Attr(0o444, lambda device: device.type + '\n'),
    'dump_prs': Attr(0o200, None, _anything),
    'sync': Attr(0o200, None, _anything),
    'gen_tp_soft_threshold_reached_UA': Attr(0o200, None, _anything),
    'resync_size': Attr(0o200, None, worked(_resync)),
    'pr_file_name': Attr(0o644, _pr_show, _pr_store),
    'max_tgt_dev_commands': number('max_tgt_dev_commands', lambda d: d.max_tgt_dev_commands_default, kstrtol,
                                   lambda value: value >= 0),
    'numa_node_id': number('numa_node_id', -1, kstrtol, lambda value: value >= -1),
    'block': Attr(0o644, lambda device: '%d 0\n' % device.blocks, _block_store),
    'threads_num': Attr(0o644, lambda d: keyed(d.threads_num, d.threads_num != d.threads_default),
                        _threads_num_store),
    'threads_pool_type': Attr(0o644, _threads_pool_show, _threads_pool_store),
    'size': size(0, True, '3.10'),
    'size_mb': size(20, True, '3.10'),
    'size_ro': size(0, False, '3.10'),
    'size_mb_ro': size(20, False, '3.10'),
    'size_301': size(0, True, '3.0.1'),
    'size_mb_301': size(20, True, '3.0.1'),
    'size_301_ro': size(0, False, '3.0.1'),
    'size_mb_301_ro': size(20, False, '3.0.1'),
    'blocksize': Attr(0o444, lambda d: keyed(1 << d.block_shift, d.block_shift != 9)),
    'opt_trans_len': Attr(0o644, lambda d: keyed(d.opt_trans_len, d.opt_trans_len_by_hand),
                          _opt_trans_len_store),
    'read_only': flag('read_only'),
    'write_through': flag('write_through'),
    'nv_cache': flag('nv_cache'),
    'o_direct': flag('o_direct'),
    'zero_copy': flag('zero_copy'),
    'dummy': flag('dummy'),
    'removable': flag('removable'),
    'rotational': flag('rotational', 1),
    'tst': flag('tst', 1),
    'thin_provisioned': Attr(0o444, lambda d: keyed(d.thin_provisioned, d.thin_by_hand)),
    'thin_provisioned_301': Attr(0o444, _thin_show_301),
    'read_zero': number('read_zero', 0, lambda text: kstrtol(text[:15]), lambda value: value in (0, 1)),
    'async': number('use_async', 0, kstrtol, lambda value: value in (0, 1)),
    'lb_per_pb_exp': number('lb_per_pb_exp', 1, kstrtol, lambda value: value in (0, 1)),
    'expl_alua': truth('expl_alua', 0),
    'bind_alua_state': truth('bind_alua_state', 1),
    'active': Attr(0o644, lambda d: keyed(d.active, d.active != 1), worked(_active_change)),
    'cluster_mode': Attr(0o644, lambda d: keyed(d.cluster_mode, d.cluster_mode), worked(_cluster_change)),
    'filename': Attr(0o644, _filename_show, _filename_store),
    'filename_ro': Attr(0o444, _filename_show),
    't10_dev_id': Attr(0o644, lambda d: keyed(d.values['t10_dev_id'], 't10_dev_id' in d.set_by_hand),
                       _t10_dev_id_store),
    'usn': Attr(0o644, lambda d: keyed(d.values['usn'], 'usn' in d.set_by_hand), _usn_store),
    'inq_vend_specific': Attr(0o644, lambda d: keyed(d.values['inq_vend_specific'],
                                                     d.values['inq_vend_specific']), _inq_store),
    'naa_id': binary_id('naa_id', {16: '235', 32: '6'}),
    'eui64_id': binary_id('eui64_id', {16: '', 24: '', 32: ''}),
    'dif_filename': Attr(0o444, lambda d: keyed(d.dif_filename, True)),
}
ATTRS.update((name, identity(name)) for name in LIMITS)


def _app_tag_store(device, text):
    device.dif_app_tag = kstrtoul(text)


# Only a device with protection information has these.
DIF_ATTRS = {
    'dif_mode': Attr(0o444, lambda d: keyed('|'.join(mode for mode in DIF_MODES if mode in d.dif_mode), True)),
    'dif_type': Attr(0o444, lambda d: keyed(d.dif_type, True)),
    'dif_static_app_tag': Attr(0o644, lambda d: keyed('0x%x' % d.dif_app_tag, d.dif_app_tag != NO_APP_TAG),
                               _app_tag_store),
}


def attribute_table(personality, handler):
    """The files of a device of this handler: name -> Attr."""
    names = personality.device_attrs.get(handler, personality.plain_device_attrs)
    table = {}
    for name in names:
        variant = personality.replaced_attrs.get(name, name)
        if handler == 'vcdrom' and name == 'filename':
            variant = name
        read_only = variant + '_ro'
        # Only nullio (and blockio of 3.10) can be given a size.
        sized = handler == 'vdisk_nullio' or handler == 'vdisk_blockio' and personality.copy_manager
        if name.startswith('size') and not sized:
            variant = read_only
        table[name] = ATTRS[variant]
    return table
