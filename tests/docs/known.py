# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be set, and how it must look: from the roles' argument specifications and the playbooks."""
import pathlib
import re
import sys

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'docs/_ext'))
from cephgate_docs import ROLES, options, site_variables  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.module_utils import client_site, site_rules  # noqa: E402

# Of Ansible and of vaults.
OTHERS = re.compile(r'^(ansible_|vault_)')


def argument(option):
    """The argument specification of a module for an option of a role."""
    made = {key: option[key] for key in ('type', 'elements', 'choices') if key in option}
    if option.get('options'):
        made['options'] = {name: dict(argument(part), required=part.get('required', False)) for name, part in option['options'].items()}
    return made


def specifications():
    known = {name: option for role in ROLES for name, option in options(role).items()}
    known.update({name: users[0][2] for name, users in site_variables().items()})
    return known


def of_playbooks():
    """Variables that the playbooks name."""
    texts = [path.read_text(encoding='utf-8') for path in (TOP / 'playbooks').rglob('*.yml')]
    return set(re.findall(r'\b(?:cephgate|scst)_\w+', ' '.join(texts)))


def problems(variables):
    """What is wrong with variables, as sentences."""
    known, named = specifications(), of_playbooks()
    for name, value in variables.items():
        if OTHERS.match(name) or '{{' in str(value):
            continue
        if name in known:
            result = ArgumentSpecValidator({name: argument(known[name])}).validate({name: value})
            yield from result.error_messages
        elif name not in named:
            yield '%s is no variable of a role or playbook' % name


def inventory_problems(listing):
    """What is wrong with an inventory, as `ansible-inventory --list` gives it: types, what is required, and the rules of a site."""
    hostvars = listing['_meta']['hostvars']

    def of(group):
        return {name: hostvars.get(name, {}) for name in listing.get(group, {}).get('hosts', [])}
    gateways = of('gateways')
    if not gateways:
        yield 'no host in the group gateways'
        return
    for name, variables in hostvars.items():
        yield from ('%s: %s' % (name, text) for text in problems(variables))
    for group, roles in (('gateways', ('gateway', 'ceph_client')), ('linux_clients', ('linux_client',)), ('windows_clients', ('windows_client',))):
        for name, variables in of(group).items():
            yield from ('%s: %s is missing' % (name, missing) for role in roles for missing in required(role) if missing not in variables)
    site = list(gateways.values())[0]
    numbers = {name: dict(number=found.get('cephgate_gateway_id'), portals=found.get('cephgate_portals')) for name, found in gateways.items()}
    hosts = {name: {key: value for key, value in host.items() if '{{' not in str(value)} for name, host in site['cephgate_hosts'].items()}
    yield from site_rules.problems(site['cephgate_luns'], hosts, numbers, site['cephgate_iqn_prefix'])
    for group, wanted in (('linux_clients', 'linux_client_mounts'), ('windows_clients', 'windows_client_disks')):
        clients = {name: dict(host=found.get('cephgate_host'), initiator_name=found.get('cephgate_initiator_name'))
                   for name, found in of(group).items()}
        for name, found in of(group).items():
            yield from client_site.problems(name, clients, site['cephgate_luns'], hosts, numbers, site['cephgate_iqn_prefix'],
                                            found.get(wanted) or [], wanted)


def required(role):
    """Variables of the site that a role cannot do without."""
    defaults = yaml.safe_load((TOP / 'roles' / role / 'defaults/main.yml').read_text(encoding='utf-8'))
    for name, option in options(role).items():
        if option.get('required'):
            match = re.fullmatch(r'\{\{ (\w+) \}\}', str(defaults.get(name, '{{ %s }}' % name)))
            if match:
                yield match.group(1)
