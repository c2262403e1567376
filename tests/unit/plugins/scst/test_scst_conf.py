# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scst.conf as scstadmin reads it."""
import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_conf import render

TARGET = 'iqn.2026-11.com.example:gw1'
CONFIG = dict(
    devices=[dict(name='b', filename='/dev/b', attributes=dict(usn='2', rotational=False), attributes_if_offered=dict(naa_id='3000000000000001')),
             dict(name='a', handler='vdisk_nullio', attributes=dict(size=1024)), dict(name='gone', state='absent')],
    targets=[dict(name=TARGET, enabled=True, rel_tgt_id=1, allowed_portals=['10.0.0.1'], attributes=dict(alias='two words', QueuedCommands=64),
                  incoming_users=[dict(name='u', secret='x' * 12)], groups=[dict(name='db', initiators=['iqn.1993-08.*'])])],
    driver=dict(enabled=True, incoming_users=[dict(name='d', secret='y' * 12)]),
    luns=[dict(target=TARGET, group='db', lun=1, device='a'), dict(target=TARGET, group='db', lun=0, device='b', read_only=True)],
    device_groups=[dict(name='dg', devices=['b'], target_groups=[
        dict(name='tg', group_id=1, state='active', preferred=True, targets=[dict(name='iqn.2026-11.com.example:far', rel_tgt_id=2)])])])

TEXT = '''\
HANDLER vdisk_blockio {
    DEVICE b {
        filename /dev/b
        naa_id 0x3000000000000001
        rotational 0
        usn 2
    }
}

HANDLER vdisk_nullio {
    DEVICE a {
        size 1024
    }
}

TARGET_DRIVER iscsi {
    IncomingUser "d yyyyyyyyyyyy"
    enabled 1
    TARGET iqn.2026-11.com.example:gw1 {
        IncomingUser "u xxxxxxxxxxxx"
        QueuedCommands 64
        alias "two words"
        allowed_portal 10.0.0.1
        rel_tgt_id 1
        enabled 1
        GROUP db {
            LUN 0 b {
                read_only 1
            }
            LUN 1 a
            INITIATOR iqn.1993-08.*
        }
    }
}

DEVICE_GROUP dg {
    DEVICE b
    TARGET_GROUP tg {
        group_id 1
        preferred 1
        state active
        TARGET iqn.2026-11.com.example:far {
            rel_tgt_id 2
        }
    }
}
'''.replace('    ', '\t')


def test_everything_is_rendered_sorted_and_absent_objects_are_left_out():
    assert render(CONFIG) == TEXT


def test_luns_may_be_rendered_alone():
    assert render(dict(luns=CONFIG['luns'][:1])) == (
        'TARGET_DRIVER iscsi {\n\tTARGET %s {\n\t\tGROUP db {\n\t\t\tLUN 1 a\n\t\t}\n\t}\n}\n' % TARGET)


def test_an_unknown_part_is_refused():
    with pytest.raises(Refused, match='groups is none of'):
        render(dict(groups=[]))


@pytest.mark.parametrize('config', [[], 'text', dict(devices='a'), dict(devices=['a']), dict(luns={}), dict(targets=[1]), dict(driver=[1]),
                                    dict(targets=[dict(name=TARGET, groups=['g'])]), dict(device_groups=[dict(name='g', target_groups=['t'])]),
                                    dict(devices=[dict(name='a', handler='vdisk_nullio', attributes=['usn'])])])
def test_what_has_another_shape_is_refused(config):
    with pytest.raises(Refused):
        render(config)
