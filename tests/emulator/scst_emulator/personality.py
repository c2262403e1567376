# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the emulated SCST releases, as data.

Found by comparing recordings of the same scenarios on real SCST 3.10 and 3.0.1.
Behaviour that follows from these facts (for example: no copy manager, so a device is opened
by its first session and not when it is added) is not listed again.
"""
from dataclasses import dataclass

_PR = ('pr_file_name', 'dump_prs')
_IDENTITY = ('t10_vend_id', 'vend_specific_id', 'prod_id', 'prod_rev_lvl', 'scsi_device_name',
             't10_dev_id', 'usn', 'inq_vend_specific')
_IDS_310 = ('naa_id', 'eui64_id')
_BASE_310 = ('type', 'max_tgt_dev_commands', 'numa_node_id', 'block') + _PR
_BASE_301 = ('type',) + _PR
_THREADS = ('threads_num', 'threads_pool_type')
_DISK = ('size', 'size_mb', 'blocksize', 'read_only', 'tst', 'removable', 'rotational') + _IDENTITY
_FILE = ('filename', 'resync_size', 'write_through', 'nv_cache', 'thin_provisioned')
_DISK_310 = ('opt_trans_len', 'cluster_mode') + _IDS_310
_FILE_310 = ('active', 'expl_alua', 'sync', 'lb_per_pb_exp')

_USAGE_DEVICE = ('Usage: echo "add_device device_name [parameters]" >mgmt\n'
                 '       echo "del_device device_name" >mgmt\n\n'
                 'where parameters are one or more param_name=value pairs separated by \';\'\n\n'
                 'The following parameters available: %s\n')
_USAGE_LUNS = ('Usage: echo "add H:C:I:L lun [parameters]" >mgmt\n'
               '       echo "add VNAME lun [parameters]" >mgmt\n'
               '       echo "del lun" >mgmt\n'
               '       echo "replace H:C:I:L lun [parameters]" >mgmt\n'
               '       echo "replace VNAME lun [parameters]" >mgmt\n'
               '%s       echo "clear" >mgmt\n\n'
               'where parameters are one or more param_name=value pairs separated by \';\'\n\n'
               'The following parameters available: read_only%s\n')
_NO_UA = ('       echo "replace_no_ua H:C:I:L lun [parameters]" >mgmt\n'
          '       echo "replace_no_ua VNAME lun [parameters]" >mgmt\n')


@dataclass(frozen=True)
class Personality:
    """One release. Sets of names; texts with their exact line ends."""
    name: str
    version: str
    version_lines: tuple          # root version file, %s = kernel release
    iscsi_version: str
    copy_manager: bool            # a target that holds a session on every virtual disk
    device_name_max: int
    prod_rev_lvl: str
    add_parameters: dict          # handler -> names that add_device takes (as its help lists them)
    known_parameters: frozenset   # names that vdisk_fileio takes: it does not check its own list
    device_attrs: dict            # handler -> attribute names
    plain_device_attrs: tuple     # attributes of a local SCSI device
    replaced_attrs: dict          # attribute -> variant used by this release
    root_attrs: tuple
    target_attrs: tuple
    group_attrs: tuple
    driver_attrs: tuple           # of targets/iscsi, while the daemon runs
    unlisted_keys: frozenset      # negotiable parameters without a file
    duplicate_group: str          # errno of creating an initiator group twice
    commands: frozenset           # LUN commands
    session_attrs: tuple
    tgt_dev_attrs: tuple
    connection_attrs: tuple
    nullio_threads: int
    blank_tail: bool              # setup_id, max_tasklet_cmd: one more newline when default
    trace: dict
    trace_tokens: str

    def device_usage(self, handler):
        return _USAGE_DEVICE % ', '.join(self.add_parameters[handler]) + ('\n' if self.copy_manager else '')

    def luns_usage(self):
        return _USAGE_LUNS % ((_NO_UA, '') if self.copy_manager else ('', '.'))


_COUNTS = ('unknown_cmd_count', 'write_cmd_count', 'write_io_count_kb', 'read_cmd_count', 'read_io_count_kb',
           'bidi_cmd_count', 'bidi_io_count_kb', 'none_cmd_count')
_UNALIGNED = ('write_unaligned_cmd_count', 'read_unaligned_cmd_count', 'bidi_unaligned_cmd_count')
_TARGET = ('rel_tgt_id', 'comment', 'addr_method', 'io_grouping_type', 'black_hole', 'cpu_mask') + _COUNTS
_SESSION = ('initiator_name', 'sid', 'commands', 'active_commands', 'force_close', 'reinstating') + _COUNTS
_PARAMETERS_301 = {
    'vdisk_blockio': ('blocksize', 'filename', 'nv_cache', 'read_only', 'removable', 'rotational',
                      'thin_provisioned', 'tst', 'write_through'),
    'vdisk_fileio': ('blocksize', 'filename', 'nv_cache', 'o_direct', 'read_only', 'removable', 'rotational',
                     'thin_provisioned', 'tst', 'write_through', 'zero_copy'),
    'vdisk_nullio': ('blocksize', 'dummy', 'read_only', 'removable', 'rotational', 'size', 'size_mb', 'tst'),
    'vcdrom': ('tst',),
}
_PARAMETERS_310 = {
    'vdisk_blockio': ('active', 'bind_alua_state', 'blocksize', 'cluster_mode', 'dif_filename', 'dif_mode',
                      'dif_static_app_tag', 'dif_type', 'filename', 'numa_node_id', 'nv_cache', 'read_only',
                      'removable', 'rotational', 'thin_provisioned', 'tst', 't10_dev_id', 'write_through'),
    'vdisk_fileio': ('active', 'async', 'blocksize', 'cluster_mode', 'dif_filename', 'dif_mode',
                     'dif_static_app_tag', 'dif_type', 'filename', 'numa_node_id', 'nv_cache', 'o_direct',
                     'read_only', 'removable', 'rotational', 'thin_provisioned', 'tst', 't10_dev_id',
                     'write_through'),
    'vdisk_nullio': ('blocksize', 'cluster_mode', 'dif_mode', 'dif_static_app_tag', 'dif_type', 'dummy',
                     'numa_node_id', 'read_only', 'removable', 'rotational', 'size', 'size_mb', 'tst',
                     't10_dev_id'),
    'vcdrom': ('tst',),
}
_EVERY_310 = frozenset(sum(_PARAMETERS_310.values(), ())) | {'lb_per_pb_exp'}
_EVERY_301 = frozenset(sum(_PARAMETERS_301.values(), ()))

_TOKENS = ('debug, function, line, pid,\n\t\t       entryexit, buff, mem, sg, out_of_mem,\n'
           '\t\t       special, scsi, mgmt, minor,\n\t\t       mgmt_dbg, scsi_serializing,\n\t\t       %s')

SCST_310 = Personality(
    name='3.10',
    version='3.10.0',
    version_lines=('SCST version: 3.10.0', 'SCST build date: ', 'SCST build number: ', 'SCST git commit sha1: ',
                   'SCST kver: %s', 'SCST arch type: ', 'SCST config: EXTRACHECKS, TRACING, DEBUG'),
    iscsi_version='3.10.0\nEXTRACHECKS\nTRACING\nDEBUG\n',
    copy_manager=True,
    device_name_max=64,
    prod_rev_lvl='3100',
    add_parameters=_PARAMETERS_310,
    known_parameters=_EVERY_310,
    device_attrs={
        'vdisk_blockio': _BASE_310 + _THREADS + _DISK + _DISK_310 + _FILE + _FILE_310 + ('bind_alua_state',),
        'vdisk_fileio': _BASE_310 + _THREADS + _DISK + _DISK_310 + _FILE + _FILE_310 + ('async', 'o_direct'),
        'vdisk_nullio': _BASE_310 + _THREADS + _DISK + _DISK_310 + ('dummy', 'read_zero'),
        'vcdrom': _BASE_310 + _THREADS + ('size', 'size_mb', 'filename', 'tst') + _IDENTITY + _IDS_310,
    },
    plain_device_attrs=_BASE_310,
    replaced_attrs={},
    root_attrs=('measure_latency', 'threads', 'setup_id', 'max_tasklet_cmd', 'poll_us', 'suspend', 'trace_level',
                'force_global_sgv_pool', 'trace_cmds', 'trace_mcmds', 'version', 'last_sysfs_mgmt_res',
                'cluster_name'),
    target_attrs=_TARGET + _UNALIGNED + ('forward_src', 'forward_dst', 'forwarding', 'aen_disabled',
                                         'sg_tablesize'),
    group_attrs=('addr_method', 'io_grouping_type', 'black_hole', 'cpu_mask', 'per_sess_dedicated_tgt_threads'),
    driver_attrs=('enabled', 'iSNSServer', 'internal_portal', 'isns_entity_name', 'link_local'),
    unlisted_keys=frozenset(),
    duplicate_group='EEXIST',
    commands=frozenset(('add', 'del', 'replace', 'replace_no_ua', 'clear')),
    session_attrs=_SESSION + _UNALIGNED + ('thread_pid',),
    tgt_dev_attrs=('active_commands', 'thread_index', 'thread_pid'),
    connection_attrs=('cid', 'ip', 'state', 'target_ip', 'transport'),
    nullio_threads=1,
    blank_tail=False,
    trace={
        'root': 'out_of_mem | minor | pid | line | function | special | mgmt | mgmt_dbg | retry',
        'handler': 'out_of_mem | minor | pid | line | function | special | mgmt | mgmt_dbg',
        'iscsi': 'out_of_mem | minor | pid | line | function | special | mgmt | mgmt_dbg | conn',
    },
    trace_tokens=_TOKENS % 'retry, pr, block',
)

SCST_301 = Personality(
    name='3.0.1',
    version='3.0.1',
    version_lines=('3.0.1', 'TRACING'),
    iscsi_version='3.0.1\nTRACING\n',
    copy_manager=False,
    device_name_max=16,
    prod_rev_lvl=' 301',
    add_parameters=_PARAMETERS_301,
    known_parameters=_EVERY_301,
    device_attrs={
        'vdisk_blockio': _BASE_301 + _THREADS + _DISK + _FILE,
        'vdisk_fileio': _BASE_301 + _THREADS + _DISK + _FILE + ('o_direct', 'zero_copy'),
        'vdisk_nullio': _BASE_301 + _THREADS + _DISK + ('dummy',),
        'vcdrom': _BASE_301 + _THREADS + ('size', 'size_mb', 'filename', 'tst') + _IDENTITY,
    },
    plain_device_attrs=_BASE_301,
    replaced_attrs={'filename': 'filename_ro', 'size': 'size_301', 'size_mb': 'size_mb_301',
                    'thin_provisioned': 'thin_provisioned_301'},
    root_attrs=('threads', 'setup_id', 'max_tasklet_cmd', 'trace_level', 'trace_cmds', 'trace_mcmds', 'version',
                'last_sysfs_mgmt_res'),
    target_attrs=_TARGET,
    group_attrs=('addr_method', 'io_grouping_type', 'black_hole', 'cpu_mask'),
    driver_attrs=('enabled', 'iSNSServer', 'isns_entity_name'),
    unlisted_keys=frozenset(('RDMAExtensions',)),
    duplicate_group='EINVAL',
    commands=frozenset(('add', 'del', 'replace', 'clear')),
    session_attrs=_SESSION,
    tgt_dev_attrs=('active_commands',),
    connection_attrs=('cid', 'ip', 'state'),
    nullio_threads=0,
    blank_tail=True,
    trace={
        'root': 'out_of_mem | special | mgmt',
        'handler': 'out_of_mem | special | mgmt',
        'iscsi': 'out_of_mem | special | mgmt',
    },
    trace_tokens=_TOKENS % 'retry, recv_bot, send_bot, recv_top, pr,\n\t\t       block, send_top',
)

PERSONALITIES = {p.name: p for p in (SCST_310, SCST_301)}
