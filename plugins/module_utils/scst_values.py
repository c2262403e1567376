# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attribute values: as people write them, as SCST takes them, as SCST shows them.

C(canonical) brings the first two to one text, C(shown) the third to the same, so that a second run sees no
difference.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

ATTRIBUTE = re.compile(r'^[A-Za-z][A-Za-z0-9_]{0,63}$')

FLAGS = frozenset((
    'active', 'aen_disabled', 'async', 'bind_alua_state', 'black_hole', 'cluster_mode', 'dummy', 'enabled', 'expl_alua',
    'forward_dst', 'forward_src', 'forwarding', 'lb_per_pb_exp', 'link_local', 'nv_cache', 'o_direct', 'per_portal_acl',
    'per_sess_dedicated_tgt_threads', 'preferred', 'read_only', 'read_zero', 'removable', 'rotational', 'thin_provisioned',
    'write_through'))

YES_NO = frozenset(('ImmediateData', 'InitialR2T', 'RDMAExtensions'))

# (lowest, highest) as SCST 3.10 accepts them.
RANGES = {
    'blocksize': (512, 65536), 'FirstBurstLength': (512, 1048576), 'MaxBurstLength': (512, 1048576),
    'MaxOutstandingR2T': (1, 65535), 'MaxRecvDataSegmentLength': (512, 1048576), 'MaxSessions': (0, 65535),
    'MaxXmitDataSegmentLength': (512, 1048576), 'NopInInterval': (0, 86400), 'NopInTimeout': (2, 86400),
    'QueuedCommands': (1, 2048), 'RspTimeout': (2, 99999), 'group_id': (1, 65535), 'max_tgt_dev_commands': (0, 2 ** 31 - 1),
    'numa_node_id': (-1, 1023), 'opt_trans_len': (0, 2 ** 31 - 1), 'rel_tgt_id': (0, 65535), 'size': (0, 2 ** 63 - 1),
    'size_mb': (0, 2 ** 43), 'threads_num': (0, 100000), 'tst': (0, 1),
}

# Bytes; SCST refuses more.
LENGTHS = {'alias': 255, 'inq_vend_specific': 160, 'isns_entity_name': 255, 'prod_id': 16, 'prod_rev_lvl': 4,
           'scsi_device_name': 255, 't10_dev_id': 25, 't10_vend_id': 8, 'usn': 20, 'vend_specific_id': 128}

CHOICES = {
    'addr_method': ('PERIPHERAL', 'FLAT', 'LUN'),
    'threads_pool_type': ('per_initiator', 'shared'),
}

# Made of one word, as a command parameter must be, or they could not be read back the same.
HEX_DIGITS = {'naa_id': (16, 32), 'eui64_id': (16, 24, 32)}

CLEARABLE = frozenset(('alias', 'comment', 'eui64_id', 'naa_id', 'redirect', 'scsi_device_name', 'inq_vend_specific',
                       'internal_portal', 'isns_entity_name', 'iSNSServer'))

# What SCST would take half of, or show in another form.
PATTERNS = {
    'cpu_mask': (re.compile('^[0-9a-f]{1,8}(,[0-9a-f]{8})*$'), 'lower-case hexadecimal digits, in groups of 8 with commas'),
    'io_grouping_type': (re.compile('^(auto|never|this_group_only|[1-9][0-9]{0,8})$'), 'auto, never, this_group_only or a number'),
    'redirect': (re.compile(r'^(([0-9.]+|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})? (temp|perm))?$'),
                 'an address (IPv6 in brackets) with an optional :port, then temp or perm'),
}

# What targets and groups have in all releases looked at (3.0 has no alias); it counts only while there is none to look at.
TARGET_ATTRIBUTES = (
    'DataDigest', 'FirstBurstLength', 'HeaderDigest', 'ImmediateData', 'InitialR2T', 'MaxBurstLength', 'MaxOutstandingR2T',
    'MaxRecvDataSegmentLength', 'MaxSessions', 'MaxXmitDataSegmentLength', 'NopInInterval', 'NopInTimeout', 'QueuedCommands',
    'RDMAExtensions', 'RspTimeout', 'addr_method', 'aen_disabled', 'alias', 'black_hole', 'comment', 'cpu_mask', 'forward_dst',
    'forward_src', 'forwarding', 'io_grouping_type', 'per_portal_acl', 'redirect')
GROUP_ATTRIBUTES = ('addr_method', 'black_hole', 'cpu_mask', 'io_grouping_type', 'per_sess_dedicated_tgt_threads')

DIGESTS = frozenset(('HeaderDigest', 'DataDigest'))
TYPED = FLAGS.union(YES_NO, RANGES, CHOICES, HEX_DIGITS, DIGESTS, PATTERNS)
KNOWN = TYPED.union(LENGTHS, CLEARABLE)


# Attributes that any plain text of that length is a value of, as most are; these are spared the rest of the rules.
PLAIN_LENGTHS = dict((name, length) for name, length in LENGTHS.items() if name not in TYPED)


def is_plain(name, value):
    """Whether C(value) is in canonical form already, as a look at it shows; most are."""
    return isinstance(value, str) and name in PLAIN_LENGTHS and len(value) <= PLAIN_LENGTHS[name] and names.PLAIN.match(value) is not None


def attribute(name, what):
    """The name of an attribute; it becomes part of a path."""
    if isinstance(name, str) and name in KNOWN:
        return name
    if not isinstance(name, names.TEXTS) or not ATTRIBUTE.match(names.to_text(name)):
        raise Refused('%s: %s is not the name of an SCST attribute.' % (what, names.shown(name)))
    return names.to_text(name)


def canonical(name, value, what):
    """C(value) of attribute C(name) as SCST shows it. Raises Refused."""
    if is_plain(name, value):
        return value
    if name in FLAGS:
        return _flag(value, what, name)
    what = '%s: %s' % (what, name)
    if name in YES_NO:
        return _yes_no(value, what)
    if name in RANGES:
        number = names.integer(value, what, *RANGES[name])
        if name == 'blocksize' and number & (number - 1):
            raise Refused('%s: %d is not a power of two; SCST would take it and use another. Use 512 or 4096.' % (what, number))
        return str(number)
    if isinstance(value, bool):
        raise Refused('%s: %s is a truth value. Put the text in quotes.' % (what, value))
    value = names.text(value, what, LENGTHS.get(name, 1024), empty=name in CLEARABLE)
    if name in HEX_DIGITS:
        return _hex(value, what, HEX_DIGITS[name])
    if name in DIGESTS:
        return _digest(value, what)
    if name in CHOICES:
        return names.choice(value, what, CHOICES[name])
    if name in PATTERNS and not PATTERNS[name][0].match(value):
        raise Refused('%s: %s is not %s.' % (what, names.shown(value), PATTERNS[name][1]))
    if name == 'redirect':
        return value.replace(':3260 ', ' ')  # SCST shows a port only when it is another one
    return value


def shown(name, content):
    """The content of attribute file C(name) in the form of C(canonical): its first line, less the [key] mark."""
    value = content.split('\n', 1)[0]
    if name in HEX_DIGITS and value:
        return _prefixed(value)
    if name in RANGES and value[:2].lower() == '0x':
        return str(int(value, 16))
    return value


def _flag(value, what, name):
    if value is True or value == '1':
        return '1'
    if value is False or value == '0':
        return '0'
    if isinstance(value, names.INTEGERS + names.TEXTS):
        text = str(names.to_text(value) if isinstance(value, names.TEXTS) else value)
        if text.lower() in ('1', 'true', 'yes', 'on'):
            return '1'
        if text.lower() in ('0', 'false', 'no', 'off'):
            return '0'
    raise Refused('%s: %s: %s is neither 0 nor 1.' % (what, name, names.shown(value)))


def _yes_no(value, what):
    """YAML makes a truth value of Yes and No; SCST wants exactly these words."""
    if isinstance(value, bool):
        return 'Yes' if value else 'No'
    if isinstance(value, names.TEXTS):
        text = names.to_text(value)
        if text.lower() in ('yes', 'true'):
            return 'Yes'
        if text.lower() in ('no', 'false'):
            return 'No'
    raise Refused('%s: %s is neither Yes nor No.' % (what, names.shown(value)))


def _prefixed(value):
    digits = value.lower()
    return digits if digits.startswith('0x') else '0x' + digits


def _hex(value, what, lengths):
    if not value:
        return value
    value = _prefixed(value)
    digits = value[2:]
    if len(digits) not in lengths or re.search(r'[^0-9a-f]', digits):
        raise Refused('%s: %s must have %s hexadecimal digits.' % (
            what, names.shown(value), ' or '.join(str(length) for length in lengths)))
    if 'naa_id' in what and digits[0] not in ('235' if len(digits) == 16 else '6'):
        raise Refused('%s: %s: the first digit is the NAA type: 2, 3 or 5 with 16 digits, 6 with 32.' % (what, names.shown(value)))
    return value


def _digest(value, what):
    """A list of None and CRC32C; SCST shows it in this order whatever the order written."""
    words = [word.strip().lower() for word in value.split(',')]
    if not words or any(word not in ('none', 'crc32c') for word in words):
        raise Refused('%s: %s is not a list of None and CRC32C.' % (what, names.shown(value)))
    return ','.join(name for name in ('None', 'CRC32C') if name.lower() in words)
