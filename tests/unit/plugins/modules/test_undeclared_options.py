# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret under a misspelt key stands where no no_log can know of it: neither message nor invocation may show it."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.modules import scst_target

A = "iqn.2026-11.com.example:gw1"
SECRET = "hunter2hunter2"
STRANGE = dict(user="joe", secrets=SECRET)


def target(**more):
    return dict(name=A, portals=["10.0.0.1"], **more)


@pytest.mark.parametrize("options, words", [
    pytest.param(dict(targets=[target()], chap=STRANGE), ["chap: secrets is none of its keys"], id="common"),
    pytest.param(dict(targets=[target(chap=STRANGE)]), ["targets[0].chap: secrets is none"], id="of a target"),
    pytest.param(dict(targets=target(chap=STRANGE)), ["targets is no list"], id="of a lone target"),
    pytest.param(dict(discovery=dict(portals=["10.0.0.1"], chap=dict(user="joe", password=SECRET))),
                 ["discovery.chap: password is none"], id="of the discovery"),
    pytest.param(dict(targets=[target(chapp=dict(secret=SECRET))]), ["targets[0]: chapp is none"], id="chap misspelt"),
    pytest.param(dict(targets=[target(secret=SECRET)]), ["targets[0]: secret is none"], id="outside of chap"),
    pytest.param(dict(targets=[target()], chapp=STRANGE), ["options: chapp is none"], id="option misspelt"),
    pytest.param(dict(targets=[target()], chap=SECRET), ["chap is no dictionary"], id="text"),
    pytest.param(dict(targets=[target()], chap=[SECRET]), ["chap is no dictionary"], id="list"),
    pytest.param(dict(targets=[target()], chap="user=joe secrets=" + SECRET), ["chap: secrets is none"], id="pairs in a text"),
    pytest.param(dict(targets='[{"chap": {"secrets": "%s"}}]' % SECRET), ["targets is no list"], id="targets as a text"),
    pytest.param(dict(targets=["chap " + SECRET]), ["targets[0] is no dictionary"], id="target as a text"),
    pytest.param(dict(targets=[target()], chap=STRANGE, startup="x"), ["startup"], id="another fault that is found first"),
])
def test_what_stands_under_a_misspelt_key_is_not_shown(run_session, tools, client_host, options, words):
    result = run_session(**options)
    assert result["failed"] and not result.get("changed") and SECRET not in str(result)
    for word in words:
        assert word in result["msg"]
    assert tools.calls == [] and list(client_host.nodes.iterdir()) == []


@pytest.mark.parametrize("chap", ['{"user": "joe", "secret": "%s"}' % SECRET, "user=joe secret=" + SECRET])
def test_a_dictionary_written_as_a_text_is_taken_as_before(run_session, chap):
    result = run_session(targets=[target()], chap=chap)
    assert not result["failed"] and result["changed"] and SECRET not in str(result)
    assert not run_session(targets=[target()], chap=chap)["changed"]


@pytest.mark.parametrize("options", [
    dict(targets=[dict(name=A, incoming_users=[dict(name="joe", secrets=SECRET)])]),
    dict(targets=[dict(name=A, outgoing_user=dict(name="joe", secrets=SECRET))]),
    dict(driver=dict(incoming_users=[dict(name="joe", secrets=SECRET)]))])
def test_nor_that_of_a_user_of_a_target(run_module, tmp_path, options):
    result = run_module(scst_target, sysfs_root=str(tmp_path), **options)
    assert result["failed"] and "secrets is none of its keys" in result["msg"] and SECRET not in str(result)
