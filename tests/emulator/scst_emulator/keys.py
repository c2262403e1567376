# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Negotiable iSCSI parameters: ranges, defaults, how values are read and shown."""
import errno
from dataclasses import dataclass

from .text import C_BLANKS, fail, lexem, same_word, strtol
from .tree import Attr

# Page size times the number of segments that iscsi-scst takes per PDU.
DATA_MAX = 1048576


@dataclass(frozen=True)
class Key:
    """A parameter. kind: range, bool or digest."""
    name: str
    kind: str
    default: int
    low: int = 0
    high: int = 0

    def show(self, value):
        if self.kind == 'range':
            return str(value)
        if self.kind == 'bool':
            return 'Yes' if value else 'No'
        return ','.join(name for bit, name in ((1, 'None'), (2, 'CRC32C')) if value & bit)

    def read(self, word):
        if word == ':default:':
            return self.default
        if self.kind == 'range':
            value = strtol(word) % (1 << 32)
            return value if self.low <= value <= self.high else fail(errno.EINVAL)
        if self.kind == 'bool':
            return {'Yes': 1, 'No': 0}[word] if word in ('Yes', 'No') else fail(errno.EINVAL)
        value = 0
        for part in word.split(','):
            part = part.lstrip(C_BLANKS).lower()
            value |= 1 if part.startswith('none') else 2 if part.startswith('crc32c') else fail(errno.EINVAL)
        return value

    def take(self, text):
        """One word; a second one is an error."""
        word, rest = lexem(text, C_BLANKS)
        if lexem(rest, C_BLANKS)[0]:
            fail(errno.EINVAL)
        return self.read(word)

    def attr(self):
        def show(target):
            value = target.values[self.name]
            return self.show(value) + ('\n' if value == self.default else '\n[key]\n\n')

        def store(target, text):
            target.values[self.name] = self.take(text)
            target.core.touch(target)
        return Attr(0o644, show, store)


def _table(*keys):
    return {key.name: key for key in keys}


TARGET_KEYS = _table(
    Key('QueuedCommands', 'range', 32, 1, 2048),
    Key('RspTimeout', 'range', 90, 2, 65535),
    Key('NopInInterval', 'range', 30, 0, 65535),
    Key('NopInTimeout', 'range', 30, 2, 65535),
    Key('MaxSessions', 'range', 0, 0, 65535),
)
SESSION_KEYS = _table(
    Key('InitialR2T', 'bool', 0),
    Key('ImmediateData', 'bool', 1),
    Key('MaxRecvDataSegmentLength', 'range', DATA_MAX, 512, DATA_MAX),
    Key('MaxXmitDataSegmentLength', 'range', DATA_MAX, 512, DATA_MAX),
    Key('MaxBurstLength', 'range', DATA_MAX, 512, DATA_MAX),
    Key('FirstBurstLength', 'range', 65536, 512, DATA_MAX),
    Key('MaxOutstandingR2T', 'range', 32, 1, 65535),
    Key('HeaderDigest', 'digest', 1),
    Key('DataDigest', 'digest', 1),
    Key('RDMAExtensions', 'bool', 0),
)


def find_key(keys, word):
    """A parameter by its name in any case."""
    return next((key for name, key in keys.items() if same_word(name, word)), None)
