# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane against a fake configfs: SCST's state becomes LIO's, change by change."""
import pytest

from fake_configfs import FakeConfigfs, FakeMapper
from scst_emulator import Emulator, Fake
from scst_emulator.lio import Plane

IQN = 'iqn.2026-11.com.example.cephgate:gw1'
REMOTE = 'iqn.2026-11.com.example.cephgate:gw2'
T = 'targets/iscsi/' + IQN
TPG = 'iscsi/%s/tpgt_1' % IQN
DB1 = 'iqn.1993-08.org.debian:01:db1'
WEB = 'iqn.1993-08.org.debian:01:web'
TG = 'device_groups/dg/target_groups/'


class Gateway:
    """An emulator whose every write is followed by the data plane."""

    def __init__(self, personality='3.10'):
        files = {'/dev/rbd%d' % n: dict(block=True, size=64 << 20) for n in range(8)}
        files['/srv/disk'] = dict(size=8 << 20)
        self.emulator = Emulator(personality, Fake(files))
        self.fs = FakeConfigfs()
        self.mapper = FakeMapper()
        self.connections = []
        self.messages = []
        self.plane = Plane(self.emulator.core, self.fs, self.mapper, lambda: ['10.99.1.11', '10.99.2.11'],
                           lambda: self.connections)
        self.plane.log = self.plane.stores.log = self.plane.targets.log = self.messages.append
        self.plane.open()

    def write(self, path, data):
        try:
            return self.emulator.write(path, data)
        finally:
            self.plane.follow()

    def changes(self, *writes):
        """What LIO is told by these writes."""
        self.fs.log.clear()
        for path, data in writes:
            self.write(path, data)
        return list(self.fs.log)


@pytest.fixture
def gateway():
    gw = Gateway()
    gw.write('handlers/vdisk_blockio/mgmt', 'add_device db01 filename=/dev/rbd0')
    gw.write('devices/db01/usn', '0123456789abcdef0123')
    gw.write('devices/db01/t10_vend_id', 'CEPHGATE')
    gw.write('devices/db01/prod_id', 'RBD')
    gw.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    gw.write('targets/iscsi/mgmt', 'add_target_attribute %s allowed_portal 10.99.1.11' % IQN)
    gw.write('targets/iscsi/mgmt', 'add_target_attribute %s allowed_portal 10.99.2.11' % IQN)
    gw.write(T + '/ini_groups/mgmt', 'create db')
    gw.write(T + '/ini_groups/db/initiators/mgmt', 'add ' + DB1)
    gw.write(T + '/ini_groups/db/luns/mgmt', 'add db01 0')
    gw.write(T + '/enabled', '1')
    gw.write('targets/iscsi/enabled', '1')
    return gw


def with_alua(gw):
    gw.write('device_groups/mgmt', 'create dg')
    gw.write('device_groups/dg/devices/mgmt', 'add db01')
    for number, (name, target) in enumerate((('gw1', IQN), ('gw2', REMOTE)), 1):
        gw.write('device_groups/dg/target_groups/mgmt', 'create ' + name)
        gw.write(TG + name + '/group_id', str(number))
        gw.write(TG + name + '/mgmt', 'add ' + target)
    gw.write(TG + 'gw2/state', 'nonoptimized')
    return gw


def test_a_lun_reaches_its_initiator(gateway):
    fs = gateway.fs
    assert fs.values['core/iblock_0/db01/control'] == 'udev_path=/dev/mapper/scst-db01'
    assert gateway.mapper.tables == {'scst-db01': '0 131072 linear /dev/rbd0 0'}
    assert fs.values['core/iblock_0/db01/wwn/vpd_unit_serial'] == '0123456789abcdef0123'
    assert fs.values['core/iblock_0/db01/wwn/vendor_id'] == 'CEPHGATE'
    assert fs.values['core/iblock_0/db01/wwn/product_id'] == 'RBD'
    assert fs.values['core/iblock_0/db01/attrib/emulate_3pc'] == '0'
    assert fs.links[TPG + '/lun/lun_0/backstore'] == 'core/iblock_0/db01'
    assert fs.links['%s/acls/%s/lun_0/backstore' % (TPG, DB1)] == TPG + '/lun/lun_0'
    assert fs.listdir(TPG + '/np') == ['10.99.1.11:3260', '10.99.2.11:3260']
    assert fs.values[TPG + '/enable'] == '1'
    assert fs.values[TPG + '/attrib/generate_node_acls'] == '0'
    assert not gateway.messages


def test_another_lun_touches_nothing_that_stays(gateway):
    changes = gateway.changes(('handlers/vdisk_blockio/mgmt', 'add_device db02 filename=/dev/rbd1'),
                              (T + '/ini_groups/db/luns/mgmt', 'add db02 1'))
    assert all('db02' in ' '.join(change) or 'lun_1' in ' '.join(change) for change in changes), changes
    assert not [change for change in changes if change[0] in ('unlink', 'rmdir')]


def test_writing_the_same_again_changes_nothing(gateway):
    assert gateway.changes(('devices/db01/usn', '0123456789abcdef0123'), (T + '/enabled', '1'),
                           (T + '/QueuedCommands', '32')) == []


def test_alua_groups_of_both_gateways_are_listed(gateway):
    with_alua(gateway)
    fs = gateway.fs
    groups = 'core/iblock_0/db01/alua/'
    assert (fs.values[groups + 'gw1/tg_pt_gp_id'], fs.values[groups + 'gw2/tg_pt_gp_id']) == ('1', '2')
    assert (fs.values[groups + 'gw1/alua_access_state'], fs.values[groups + 'gw2/alua_access_state']) == ('0', '1')
    assert fs.values[groups + 'gw1/alua_access_type'] == '1'
    assert fs.values[TPG + '/lun/lun_0/alua_tg_pt_gp'] == 'gw1'
    assert not gateway.messages


def test_a_state_change_is_one_write(gateway):
    with_alua(gateway)
    assert gateway.changes((TG + 'gw1/state', 'nonoptimized')) == [
        ('write', 'core/iblock_0/db01/alua/gw1/alua_access_state', '1')]


def test_standby_lets_go_of_the_device_and_moves_no_lun(gateway):
    with_alua(gateway)
    assert gateway.changes((TG + 'gw1/state', 'standby')) == [
        ('write', 'core/iblock_0/db01/alua/gw1/alua_access_state', '2')]
    assert gateway.emulator.read('devices/db01/active') == '0\n[key]\n'
    assert gateway.mapper.tables == {'scst-db01': '0 131072 error'}
    gateway.changes((TG + 'gw1/state', 'active'))
    assert gateway.mapper.tables == {'scst-db01': '0 131072 linear /dev/rbd0 0'}


def test_a_state_that_refuses_io_comes_before_the_device_goes(gateway):
    """And the device before a state that promises I/O: initiators must never see an I/O error of the mapping."""
    with_alua(gateway)
    order = []
    gateway.mapper.log = gateway.fs.log = order
    gateway.write(TG + 'gw1/state', 'standby')
    gateway.write(TG + 'gw1/state', 'active')
    assert [entry[0] for entry in order] == ['write', 'load', 'load', 'write']


def test_closing_and_opening_by_hand(gateway):
    assert gateway.changes(('devices/db01/active', '0')) == []
    assert gateway.mapper.tables['scst-db01'].endswith('error')
    assert gateway.changes(('devices/db01/filename', '/dev/rbd7'), ('devices/db01/active', '1')) == []
    assert gateway.mapper.tables['scst-db01'] == '0 131072 linear /dev/rbd7 0'


def test_growing(gateway):
    gateway.emulator.core.env.files['/dev/rbd0']['size'] = 128 << 20
    assert gateway.changes(('devices/db01/resync_size', '1')) == []
    assert gateway.mapper.tables['scst-db01'] == '0 262144 linear /dev/rbd0 0'


def test_deleting_an_exported_device_takes_its_luns(gateway):
    gateway.write('handlers/vdisk_blockio/mgmt', 'del_device db01')
    assert not gateway.fs.links
    assert not [d for d in gateway.fs.dirs if 'db01' in d]
    assert gateway.fs.listdir(TPG + '/acls') == []       # nobody gets in where there is nothing for him


def test_disabling_stops_listening_and_leaves_sessions(gateway):
    assert gateway.changes((T + '/enabled', '0')) == [
        ('rmdir', TPG + '/np/10.99.1.11:3260'), ('rmdir', TPG + '/np/10.99.2.11:3260')]


def test_removed_initiator_with_a_session_keeps_an_empty_acl(gateway):
    acl = '%s/acls/%s' % (TPG, DB1)
    gateway.write('handlers/vdisk_blockio/mgmt', 'add_device db02 filename=/dev/rbd1')
    gateway.write(T + '/ini_groups/db/luns/mgmt', 'add db02 1')
    gateway.fs.values[acl + '/info'] = INFO
    gateway.write(T + '/ini_groups/db/initiators/mgmt', 'del ' + DB1)
    assert acl in gateway.fs.dirs and acl + '/lun_1' not in gateway.fs.dirs
    del gateway.fs.values[acl + '/info']
    gateway.write(T + '/ini_groups/db/initiators/mgmt', 'add ' + WEB)
    assert gateway.fs.listdir(TPG + '/acls') == [WEB]


def test_a_session_that_loses_lun_0_does_not_see_lios_own_disk_of_zeros(gateway):
    acl = '%s/acls/%s' % (TPG, DB1)
    fs = gateway.fs
    fs.values[acl + '/info'] = INFO
    gateway.write(T + '/ini_groups/db/luns/mgmt', 'del 0')
    hole = fs.links[fs.links[acl + '/lun_0/backstore'] + '/backstore']
    assert fs.values[hole + '/alua/closed/alua_access_state'] == '3'
    gateway.write(T + '/ini_groups/db/luns/mgmt', 'add db01 0')
    assert fs.links[fs.links[acl + '/lun_0/backstore'] + '/backstore'] == 'core/iblock_0/db01'
    gateway.write(T + '/ini_groups/db/luns/mgmt', 'del 0')
    gateway.plane.refresh_sessions()
    del fs.values[acl + '/info']
    gateway.plane.looked = 0
    gateway.plane.refresh_sessions()
    assert acl not in fs.dirs
    assert not gateway.messages


def test_groups_see_only_their_own_luns(gateway):
    gateway.write('handlers/vdisk_blockio/mgmt', 'add_device web01 filename=/dev/rbd1')
    gateway.write(T + '/ini_groups/mgmt', 'create web')
    gateway.write(T + '/ini_groups/web/initiators/mgmt', 'add ' + WEB)
    gateway.write(T + '/ini_groups/web/luns/mgmt', 'add web01 0 read_only=1')
    fs = gateway.fs
    assert fs.links['%s/acls/%s/lun_0/backstore' % (TPG, WEB)] == TPG + '/lun/lun_1'
    assert fs.values['%s/acls/%s/lun_0/write_protect' % (TPG, WEB)] == '1'
    assert not [link for link in fs.links if DB1 in link and fs.links[link].endswith('lun_1')]


def test_everybody_gets_in_only_where_all_luns_are_for_everybody(gateway):
    gateway.write(T + '/ini_groups/mgmt', 'create any')
    gateway.write(T + '/ini_groups/any/initiators/mgmt', 'add *')
    assert gateway.fs.values[TPG + '/attrib/generate_node_acls'] == '0'
    gateway.write(T + '/ini_groups/mgmt', 'del db')
    gateway.write(T + '/ini_groups/any/luns/mgmt', 'add db01 5')
    assert gateway.fs.values[TPG + '/attrib/generate_node_acls'] == '1'
    assert gateway.fs.links[TPG + '/lun/lun_5/backstore'] == 'core/iblock_0/db01'


def test_chap(gateway):
    gateway.write('targets/iscsi/mgmt', 'add_target_attribute %s IncomingUser joe 12charsecret' % IQN)
    gateway.write('targets/iscsi/mgmt', 'add_target_attribute %s OutgoingUser gw 12charsecre2' % IQN)
    auth = '%s/acls/%s/auth/' % (TPG, DB1)
    assert gateway.fs.values[TPG + '/attrib/authentication'] == '1'
    assert [gateway.fs.values[auth + f] for f in ('userid', 'password', 'userid_mutual', 'password_mutual')] == [
        'joe', '12charsecret', 'gw', '12charsecre2']
    gateway.write('targets/iscsi/mgmt', 'del_target_attribute %s IncomingUser joe' % IQN)
    assert gateway.fs.values[TPG + '/attrib/authentication'] == '0'


def test_portal_patterns_are_matched_with_the_hosts_addresses(gateway):
    gateway.write('targets/iscsi/mgmt', 'del_target_attribute %s allowed_portal 10.99.1.11' % IQN)
    gateway.write('targets/iscsi/mgmt', 'del_target_attribute %s allowed_portal 10.99.2.11' % IQN)
    assert gateway.fs.listdir(TPG + '/np') == ['0.0.0.0:3260']
    gateway.write('targets/iscsi/mgmt', 'add_target_attribute %s allowed_portal 10.99.2.*' % IQN)
    assert gateway.fs.listdir(TPG + '/np') == ['10.99.2.11:3260']


def test_a_step_that_fails_is_said_and_tried_again(gateway):
    original = gateway.fs.link
    gateway.fs.link = lambda target, path: (dummy for dummy in ()).throw(OSError(28, 'No space', path))
    gateway.write('handlers/vdisk_blockio/mgmt', 'add_device db02 filename=/dev/rbd1')
    gateway.write(T + '/ini_groups/db/luns/mgmt', 'add db02 1')
    assert gateway.messages
    gateway.fs.link = original
    gateway.write(T + '/comment', 'x')
    assert '%s/acls/%s/lun_1/backstore' % (TPG, DB1) in gateway.fs.links


def test_closing_leaves_nothing(gateway):
    with_alua(gateway)
    gateway.plane.close()
    assert gateway.fs.dirs == {'core', 'core/alua', 'iscsi', 'iscsi/discovery_auth'}
    assert not gateway.fs.links and not gateway.mapper.tables


def test_file_and_null_devices():
    gw = Gateway()
    gw.write('handlers/vdisk_fileio/mgmt', 'add_device f filename=/srv/disk; read_only=1')
    gw.write('handlers/vdisk_nullio/mgmt', 'add_device n size_mb=8')
    assert gw.fs.values['core/fileio_0/f/control'] == 'fd_dev_name=/srv/disk,fd_dev_size=8388608,fd_buffered_io=1'
    assert gw.fs.values['core/rd_mcp_0/n/control'] == 'rd_pages=2048,rd_nullio=1'


INFO = """InitiatorName: %s
InitiatorAlias: client1
LIO Session ID: 1   ISID: 0x00 02 3d 00 00 00  TSIH: 1  SessionType: Normal
Session State: TARG_SESS_STATE_LOGGED_IN
---------------------[iSCSI Session Values]-----------------------
  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT
 0x00000020   0x00000020   0x0000001f   0x0000003e   0x0000001f   0x00000020
----------------------[iSCSI Connections]-------------------------
CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN
   Address 10.99.1.21 TCP  StatSN: 0x5c7a9b1e
""" % DB1


def test_sessions_of_lio_appear_in_the_tree(gateway):
    acl = '%s/acls/%s' % (TPG, DB1)
    gateway.fs.values[acl + '/info'] = INFO
    gateway.fs.values[acl + '/lun_0/statistics/scsi_auth_intr/read_mbytes'] = '3'
    gateway.connections = [('10.99.1.21', '10.99.1.11'), ('10.99.2.21', '10.99.2.11')]
    gateway.plane.refresh_sessions()
    read = gateway.emulator.read
    assert sorted(gateway.emulator.listdir(T + '/sessions')) == [DB1, DB1 + '_1']
    assert read('%s/sessions/%s/initiator_name' % (T, DB1)) == DB1 + '\n'
    assert read('%s/sessions/%s/10.99.1.21/target_ip' % (T, DB1)) == '10.99.1.11'
    assert gateway.emulator.readlink('%s/sessions/%s/luns' % (T, DB1)) == '../../ini_groups/db/luns'
    assert read('%s/sessions/%s/read_io_count_kb' % (T, DB1)) == '3072\n'
    with pytest.raises(OSError):
        gateway.write(T + '/ini_groups/mgmt', 'del db')
    del gateway.fs.values[acl + '/info']
    gateway.plane.looked = 0
    gateway.plane.refresh_sessions()
    assert gateway.emulator.listdir(T + '/sessions') == []


def test_a_portal_that_is_allowed_no_more_keeps_its_sessions(gateway):
    gateway.fs.values['%s/acls/%s/info' % (TPG, DB1)] = INFO
    gateway.connections = [('10.99.1.21', '10.99.1.11')]
    gateway.plane.refresh_sessions()
    gateway.write('targets/iscsi/mgmt', 'del_target_attribute %s allowed_portal 10.99.1.11' % IQN)
    gateway.plane.looked = 0
    gateway.plane.refresh_sessions()
    assert gateway.emulator.read('%s/sessions/%s/10.99.1.21/target_ip' % (T, DB1)) == '10.99.1.11'


def test_force_close_ends_the_session(gateway):
    acl = '%s/acls/%s' % (TPG, DB1)
    gateway.fs.values[acl + '/info'] = INFO
    gateway.connections = [('10.99.1.21', '10.99.1.11')]
    gateway.plane.refresh_sessions()
    changes = gateway.changes(('%s/sessions/%s/force_close' % (T, DB1), '1'))
    assert changes == [('write', acl + '/cmdsn_depth', '33'), ('write', acl + '/cmdsn_depth', '32')]
    assert gateway.emulator.listdir(T + '/sessions') == []


def test_force_close_keeps_out_who_has_no_luns_any_more(gateway):
    """open-iscsi comes back at once, and LIO lets in whom it has an ACL of."""
    acl = '%s/acls/%s' % (TPG, DB1)
    gateway.fs.values[acl + '/info'] = INFO
    gateway.connections = [('10.99.1.21', '10.99.1.11')]
    gateway.plane.refresh_sessions()
    gateway.write(T + '/ini_groups/db/initiators/mgmt', 'clear')
    assert acl in gateway.fs.dirs
    assert ('rmdir', acl) in gateway.changes(('%s/sessions/%s/force_close' % (T, DB1), '1'))
    assert not gateway.messages


def test_a_session_whose_initiator_is_in_no_group_any_more_sees_the_default_luns(gateway):
    acl = '%s/acls/%s' % (TPG, DB1)
    gateway.fs.values[acl + '/info'] = INFO
    gateway.plane.refresh_sessions()
    gateway.write('handlers/vdisk_blockio/mgmt', 'add_device other filename=/dev/rbd1')
    gateway.write(T + '/luns/mgmt', 'add other 0')
    fs = gateway.fs
    gateway.write(T + '/ini_groups/db/initiators/mgmt', 'del ' + DB1)
    assert fs.links[fs.links[acl + '/lun_0/backstore'] + '/backstore'] == 'core/iblock_0/other'
    gateway.write(T + '/ini_groups/db/initiators/mgmt', 'add ' + DB1)
    assert fs.links[fs.links[acl + '/lun_0/backstore'] + '/backstore'] == 'core/iblock_0/db01'
    assert not gateway.messages


def for_everybody():
    """A gateway with default LUNs only: LIO lets initiators in without an ACL."""
    gw = Gateway()
    gw.write('handlers/vdisk_blockio/mgmt', 'add_device db01 filename=/dev/rbd0')
    gw.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    gw.write(T + '/luns/mgmt', 'add db01 0')
    gw.write(T + '/enabled', '1')
    gw.write('targets/iscsi/enabled', '1')
    return gw


def test_a_session_without_an_acl_appears_too():
    gw = for_everybody()
    gw.fs.values[TPG + '/dynamic_sessions'] = DB1 + '\n\0'
    gw.connections = [('10.99.1.21', '10.99.1.11')]
    gw.plane.refresh_sessions()
    assert gw.emulator.read('%s/sessions/%s/10.99.1.21/ip' % (T, DB1)) == '10.99.1.21'
    gw.fs.values[TPG + '/dynamic_sessions'] = ''
    gw.plane.looked = 0
    gw.plane.refresh_sessions()
    assert gw.emulator.listdir(T + '/sessions') == []


def test_chap_of_initiators_without_an_acl():
    gw = for_everybody()
    command = '_target_attribute %s ' % IQN
    gw.write('targets/iscsi/mgmt', 'add' + command + 'IncomingUser joe 12charsecret')
    gw.write('targets/iscsi/mgmt', 'add' + command + 'OutgoingUser gw 12charsecre2')
    names = ('userid', 'password', 'userid_mutual', 'password_mutual')
    assert [gw.fs.values['%s/auth/%s' % (TPG, name)] for name in names] == ['joe', '12charsecret', 'gw', '12charsecre2']
    gw.write('targets/iscsi/mgmt', 'del' + command + 'OutgoingUser gw')
    assert [gw.fs.values['%s/auth/%s' % (TPG, name)] for name in names] == ['joe', '12charsecret', 'NULL', 'NULL']


def test_chap_at_discovery(gateway):
    fs, folder = gateway.fs, 'iscsi/discovery_auth/'
    gateway.write('targets/iscsi/mgmt', 'add_attribute IncomingUser disc 12charsecret')
    assert [fs.values[folder + name] for name in ('userid', 'password', 'enforce_discovery_auth')] == ['disc', '12charsecret', '1']
    gateway.write('targets/iscsi/mgmt', 'del_attribute IncomingUser disc')
    assert [fs.values[folder + name] for name in ('userid', 'password', 'enforce_discovery_auth')] == ['NULL', 'NULL', '0']


def test_old_release_follows_too():
    gw = Gateway('3.0.1')
    gw.write('handlers/vdisk_blockio/mgmt', 'add_device db01 filename=/dev/rbd0')
    gw.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    gw.write(T + '/luns/mgmt', 'add db01 0')
    assert gw.fs.values[TPG + '/attrib/generate_node_acls'] == '1'
    assert gw.fs.links[TPG + '/lun/lun_0/backstore'] == 'core/iblock_0/db01'
