# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m scst_emulator --root MOUNTPOINT: SCST's sysfs tree over FUSE."""
import argparse
import os
import sys

from .environment import Real
from .face import Emulator
from .lio_configfs import Configfs
from .lio_dm import Mapper
from .lio_target_steps import wipe
from .personality import PERSONALITIES


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='scst_emulator', description=__doc__)
    parser.add_argument('--root', required=True, help='where to mount; created when missing')
    parser.add_argument('--personality', choices=sorted(PERSONALITIES), default='3.10')
    parser.add_argument('--data-plane', choices=('none', 'lio'), default='none',
                        help='lio: export through the LIO target of this kernel')
    parser.add_argument('--configfs', default='/sys/kernel/config', help='where configfs is mounted')
    parser.add_argument('--background', action='store_true', help='return when mounted')
    parser.add_argument('--empty', action='store_true', help='begin without modules and daemon')
    parser.add_argument('--wipe', action='store_true', help="only remove what a killed emulator left in LIO")
    options = parser.parse_args(arguments)
    configfs = os.path.join(options.configfs, 'target')
    if options.wipe:
        if os.path.isdir(configfs):
            wipe(Configfs(configfs), Mapper())
        return 0

    from .fuse_face import serve
    plane = None
    emulator = Emulator(options.personality, Real(hold=options.data_plane == 'none'), start=not options.empty)
    if options.data_plane == 'lio':
        from .lio import Plane
        plane = Plane(emulator.core, Configfs(configfs), Mapper())
        plane.open()
    os.makedirs(options.root, exist_ok=True)
    serve(emulator, options.root, plane, foreground=not options.background)
    return 0


if __name__ == '__main__':
    sys.exit(main())
