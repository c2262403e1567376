# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway is to serve when its mode changes: nothing that the new mode knows nothing of."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_intent import intended
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


def state(images, ha=None):
    return dict(
        dict(ha=ha) if ha else {}, targets=[], device_groups=[],
        images=[dict(image=image) for image in images], devices=[dict(name=image[-1], image=image) for image in images],
        luns=[dict(target='t', group='g', lun=number, device=image[-1]) for number, image in enumerate(images)])


FENCED = dict(order={'a': ['gw1']}, sizes={'a': 1}, gateways=['gw1'])


@pytest.mark.parametrize('old, new', [(None, FENCED), (dict(FENCED, order={'a': ['gw1'], 'b': ['gw1']}, sizes={'a': 1, 'b': 1}), None)])
def test_a_mode_changes_with_all_that_is_served_declared(old, new):
    with pytest.raises(Refused, match='image rbd/b: this gateway serves it in another ha_mode, and it is not declared'):
        intended(state(['rbd/a', 'rbd/b'], old), state(['rbd/a'], new), False)
    gone = [dict(target='t', group='g', lun=1)]
    assert intended(state(['rbd/a', 'rbd/b'], old), state(['rbd/a'], new), False, gone)['luns'] == state(['rbd/a'])['luns']
    assert intended(state(['rbd/a', 'rbd/b'], old), state(['rbd/a'], new), True) == state(['rbd/a'], new)


def test_in_the_same_mode_what_is_not_declared_stays():
    assert intended(state(['rbd/a', 'rbd/b']), state(['rbd/a']), False)['images'] == [dict(image='rbd/a'), dict(image='rbd/b')]
