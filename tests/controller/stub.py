# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller's API (AWX 24.6, /api/v2), as far as the modules of awx.awx use it: objects, associations, surveys.

Refuses what a controller refuses and a careless stub would take: unknown fields of credentials, references to objects that do not exist,
names that exist, surveys that break the rules of awx/api/views (JobTemplateSurveySpec) - so that a set-up which passes here is consistent
in itself. It runs no job, and shows secrets as $encrypted$, as a controller does.
"""
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

KINDS = {
    # kind: (fields that must be given, fields that refer to objects of another kind)
    'organizations': (['name'], {}),
    'execution_environments': (['name', 'image'], {'organization': 'organizations'}),
    'credential_types': (['name', 'kind'], {}),
    'credentials': (['name', 'credential_type'], {'credential_type': 'credential_types', 'organization': 'organizations'}),
    'projects': (['name', 'organization'], {'organization': 'organizations', 'credential': 'credentials',
                                            'default_environment': 'execution_environments'}),
    'inventories': (['name', 'organization'], {'organization': 'organizations'}),
    'inventory_sources': (['name', 'inventory'], {'inventory': 'inventories', 'source_project': 'projects', 'credential': 'credentials'}),
    'job_templates': (['name', 'playbook', 'project'], {
        'organization': 'organizations', 'project': 'projects', 'inventory': 'inventories', 'execution_environment': 'execution_environments'}),
    'workflow_job_templates': (['name'], {'organization': 'organizations', 'inventory': 'inventories'}),
    'workflow_job_template_nodes': (['workflow_job_template'], {
        'workflow_job_template': 'workflow_job_templates', 'unified_job_template': 'job_templates'}),
}
RELATED = {'credentials': 'credentials', 'success_nodes': 'workflow_job_template_nodes', 'always_nodes': 'workflow_job_template_nodes',
           'failure_nodes': 'workflow_job_template_nodes', 'galaxy_credentials': 'credentials', 'instance_groups': 'instance_groups'}
SINGULAR = {'inventories': 'inventory'}
# What a controller brings along.
BUILT_IN = [
    dict(name='Machine', kind='ssh', inputs=dict(fields=[dict(id='username'), dict(id='password', secret=True), dict(id='ssh_key_data', secret=True)])),
    dict(name='Vault', kind='vault', inputs=dict(fields=[dict(id='vault_password', secret=True), dict(id='vault_id')], required=['vault_password'])),
]
TYPES = {'text': str, 'textarea': str, 'password': str, 'multiplechoice': str, 'multiselect': str, 'integer': int, 'float': (int, float)}


class Refused(Exception):
    pass


def check_survey(spec):
    """The rules that a controller has for a survey; raises Refused. Source: awx/api/views/__init__.py, JobTemplateSurveySpec."""
    for field, kind in (('name', str), ('description', str), ('spec', list)):
        if not isinstance(spec.get(field), kind):
            raise Refused("'%s' missing from survey spec or not of type %s" % (field, kind.__name__))
    if not spec['spec']:
        raise Refused("'spec' doesn't contain any items.")
    variables = set()
    for number, item in enumerate(spec['spec']):
        for field in ('type', 'question_name', 'variable', 'required'):
            if field not in item:
                raise Refused("'%s' missing from survey question %d." % (field, number))
        if item['type'] not in TYPES:
            raise Refused("'%s' in survey question %d is not one of the allowed question types" % (item['type'], number))
        if not isinstance(item['question_name'], str) or not isinstance(item['variable'], str) or not isinstance(item['required'], bool):
            raise Refused('question %d has a field of a wrong type' % number)
        if item['variable'] in variables:
            raise Refused("'variable' '%s' duplicated in survey question %d." % (item['variable'], number))
        variables.add(item['variable'])
        if item.get('default') not in (None, '') and not isinstance(item['default'], TYPES[item['type']]):
            raise Refused('Default value of question %d expected to be %s' % (number, item['type']))
        for field in ('min', 'max'):
            if item.get(field) is not None and not isinstance(item[field], int):
                raise Refused('The %s limit in survey question %d expected to be integer.' % (field, number))
        if item['type'].startswith('multi'):
            if not item.get('choices'):
                raise Refused('Survey question %d of type %s must specify choices.' % (number, item['type']))
            chosen = [each for each in str(item.get('default') or '').split('\n') if each]
            if [each for each in chosen if each not in item['choices']]:
                raise Refused('Default choice must be answered from the choices listed.')


class Controller:
    """The objects of a controller."""

    def __init__(self):
        self.objects = {kind: {} for kind in KINDS}
        self.associated, self.surveys, self.log = {}, {}, []
        self.next = 1
        for built_in in BUILT_IN:
            self.create('credential_types', dict(built_in, managed=True))

    def create(self, kind, data):
        required, _references = KINDS[kind]
        missing = [field for field in required if data.get(field) in (None, '')]
        if missing:
            raise Refused('%s: %s: This field is required.' % (kind, ', '.join(missing)))
        if 'name' in data and [each for each in self.objects[kind].values()
                               if each['name'] == data['name'] and each.get('organization') == data.get('organization')]:
            raise Refused('%s with this name already exists: %s' % (kind, data['name']))
        number, self.next = self.next, self.next + 1
        url = '/api/v2/%s/%d/' % (kind, number)
        related = {name: url + name + '/' for name in RELATED}
        if kind.endswith('job_templates'):
            related['survey_spec'] = url + 'survey_spec/'
            related['workflow_nodes'] = url + 'workflow_nodes/'
        item = dict(id=number, type=SINGULAR.get(kind, kind[:-1]), url=url, related=related, summary_fields={}, status='successful')
        if kind == 'projects':
            item['scm_revision'] = '0' * 40
        self.objects[kind][number] = item
        try:
            self.change(kind, number, data)
        except Refused:
            del self.objects[kind][number]
            raise
        return item

    def change(self, kind, number, data):
        for field, other in KINDS[kind][1].items():
            if data.get(field) not in (None, '') and data[field] not in self.objects[other]:
                raise Refused('%s: no %s with id %s' % (kind, field, data[field]))
        if kind == 'credentials' and 'inputs' in data:
            item = dict(self.objects[kind][number], **data)
            known = self.objects['credential_types'][item['credential_type']]['inputs']
            fields = {field['id']: field for field in known['fields']}
            if set(data['inputs']) - set(fields):
                raise Refused('unknown inputs %s' % sorted(set(data['inputs']) - set(fields)))
            empty = [name for name in known.get('required', []) if not data['inputs'].get(name)]
            if empty:
                raise Refused('required inputs are empty: %s' % empty)
        if kind == 'credential_types' and 'injectors' in data:
            text = json.dumps(data['injectors'])
            ids = {field['id'] for field in data['inputs']['fields']} | {'tower'}
            unknown = set(re.findall(r'\{\{\s*(\w+)', text)) - ids
            if unknown or not re.search(r'\{\{', text):
                raise Refused('injectors use %s, which are no inputs' % sorted(unknown))
        self.objects[kind][number].update(data)

    def shown(self, kind, item):
        if kind == 'credentials' and item.get('inputs'):
            secret = {field['id'] for field in self.objects['credential_types'][item['credential_type']]['inputs']['fields'] if field.get('secret')}
            return dict(item, inputs={name: '$encrypted$' if name in secret else value for name, value in item['inputs'].items()})
        return item

    def find(self, kind, query):
        kinds = ['job_templates', 'workflow_job_templates'] if kind == 'unified_job_templates' else [kind]
        for each in kinds:
            for item in self.objects.get(each, {}).values():
                if all(str(item.get(name)) == value for name, value in query.items() if name not in ('page_size', 'order_by', 'page')):
                    yield self.shown(each, item)

    def associate(self, path, data):
        known = self.associated.setdefault(path, [])
        if data.get('disassociate'):
            known.remove(data['id'])
        else:
            if data['id'] not in self.objects.get(RELATED[path[2]], {}):
                raise Refused('no %s with id %s' % (RELATED[path[2]], data['id']))
            known.append(data['id'])

    def named(self, kind, name):
        return next(item for item in self.objects[kind].values() if item['name'] == name)


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    controller = None

    def log_message(self, *_arguments):
        """Silent."""

    def answer(self, code, data):
        body = b'' if data is None else json.dumps(data).encode()
        self.send_response(code)
        for name, value in (('Content-Type', 'application/json'), ('X-API-Product-Name', 'AWX'), ('X-API-Product-Version', '24.6.1'),
                            ('Content-Length', str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def page(self, rows):
        rows = list(rows)
        self.answer(200, dict(count=len(rows), next=None, previous=None, results=rows))

    def any(self):
        length = int(self.headers.get('Content-Length') or 0)
        data = json.loads(self.rfile.read(length) or b'{}') if length else {}
        url = urlparse(self.path)
        path = [part for part in url.path.split('/') if part][2:]
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers.get('Authorization') != 'Bearer of-the-test':
            return self.answer(401, dict(detail='Authentication credentials were not provided.'))
        if self.command != 'GET':
            self.controller.log.append((self.command, '/'.join(path)))
        try:
            return self.serve(path, query, data)
        except Refused as refused:
            return self.answer(400, dict(detail=str(refused)))

    def serve(self, path, query, data):
        controller, kind = self.controller, path[0] if path else None
        if kind not in list(KINDS) + ['unified_job_templates', 'ping', 'config']:
            return self.answer(404 if kind else 200, dict(detail='Not found.') if kind else {})
        if len(path) == 1:
            if self.command == 'POST':
                return self.answer(201, controller.shown(kind, controller.create(kind, data)))
            return self.page(controller.find(kind, query))
        number = int(path[1])
        if number not in controller.objects[kind]:
            return self.answer(404, dict(detail='Not found.'))
        if len(path) == 2:
            if self.command in ('PATCH', 'PUT'):
                controller.change(kind, number, data)
            return self.answer(200, controller.shown(kind, controller.objects[kind][number]))
        if path[2] == 'survey_spec':
            if self.command == 'POST':
                check_survey(data)
                controller.surveys[number] = data
            return self.answer(200, controller.surveys.get(number, {}))
        if path[2] == 'workflow_nodes':
            return self.page(node for node in controller.objects['workflow_job_template_nodes'].values()
                             if node['workflow_job_template'] == number)
        if self.command == 'POST':
            controller.associate(tuple(path), data)
            return self.answer(204, None)
        return self.page(controller.shown(RELATED[path[2]], controller.objects[RELATED[path[2]]][other])
                         for other in controller.associated.get(tuple(path), []))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = any


class Server:
    """with Server() as server: server.url, server.controller"""

    def __enter__(self):
        self.controller = Controller()
        handler = type('Bound', (Handler,), dict(controller=self.controller))
        self.http = ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.url = 'http://127.0.0.1:%d' % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error):
        self.http.shutdown()
        self.http.server_close()
