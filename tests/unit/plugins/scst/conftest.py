# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCST for unit tests: the emulator, and the engine on it the way the modules call it."""
import pathlib
import sys

import pytest

EMULATOR = pathlib.Path(__file__).resolve().parents[3] / 'emulator'
if str(EMULATOR) not in sys.path:
    sys.path.insert(0, str(EMULATOR))

TARGET = 'iqn.2026-11.com.example:gw1'
OTHER = 'iqn.2026-11.com.example:gw2'
HOST = 'iqn.1993-08.org.debian:01:host'
SIZE = 1 << 24


class Engine:
    """The emulated tree and the modules' work on it; each call returns the operations that it performed."""

    def __init__(self, personality='3.10'):
        from scst_emulator import Emulator, Fake
        self.files = {'/dev/x%d' % number: dict(size=SIZE, block=True) for number in range(4)}
        self.tree = Emulator(personality, Fake(self.files))

    def size_of(self, path):
        return self.files.get(path, {}).get('size')

    def do(self, operations):
        from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform
        from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer
        return perform(operations, performer(self.tree))

    def device(self, *devices, exclusive_handlers=(), assume=False, **options):
        from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_device
        wanted = scst_device.normalise(devices, exclusive_handlers, options.get('allow_duplicate_identity', False))
        current = scst_device.snapshot(self.tree, wanted, exclusive_handlers, assume, self.size_of)
        return self.do(scst_device.plan(current, wanted, **options))

    def target(self, *targets, driver=None, exclusive_targets=False, **options):
        from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_target
        wanted, wanted_driver = scst_target.normalise(targets, driver, options.get('allow_ambiguous_initiators', False))
        current = scst_target.snapshot(self.tree, wanted, wanted_driver, exclusive_targets)
        return self.do(scst_target.plan(current, wanted, wanted_driver, **options))

    def lun(self, *luns, exclusive=(), **options):
        from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_lun
        wanted, scopes = scst_lun.normalise(luns, exclusive)
        return self.do(scst_lun.plan(scst_lun.snapshot(self.tree, wanted, scopes), wanted, scopes, **options))

    def alua(self, *groups, **options):
        from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_alua
        wanted = scst_alua.normalise(groups, options.get('allow_duplicate_ids', False))
        return self.do(scst_alua.plan(scst_alua.snapshot(self.tree, wanted), wanted, **options))

    def login(self, initiator=HOST, target=TARGET, portal='10.0.0.1'):
        from scst_emulator import login
        return login(self.tree.core.targets.iscsi.targets[target], initiator, portal=portal)

    def exported(self):
        """Two devices, the first as LUN 0 of group db of a target that is enabled, and nothing else."""
        self.device(*[dict(name='disk%d' % number, filename='/dev/x%d' % number,
                           attributes=dict(t10_dev_id='%08d-disk' % number, usn='u%d' % number)) for number in (0, 1)])
        self.target(dict(name=TARGET, rel_tgt_id=1, enabled=True, groups=[dict(name='db', initiators=[HOST])]),
                    driver=dict(enabled=True))
        self.lun(dict(target=TARGET, group='db', lun=0, device='disk0'))
        self.tree.reset_counters()
        return self


@pytest.fixture(params=['3.10', '3.0.1'])
def scst(request):
    return Engine(request.param)


@pytest.fixture
def scst310():
    return Engine('3.10')
