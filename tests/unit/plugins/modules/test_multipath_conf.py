# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipath_conf as a module: validation, backup, reload, check mode. Edits: test_multipath_document."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_overrides import others
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_parser import Parser, new_complaints
from ansible_collections.cephgate.iscsi.plugins.modules import multipath_conf

# As multipath-tools 0.9.4 writes it.
STAMP = "894.743295 | "


class Tools:
    """multipath and multipathd. complain: callable(text of the candidate) -> complaints"""

    def __init__(self):
        self.calls = []
        self.running = True
        self.complain = lambda text: []
        self.code = 0
        self.reload_code = 0

    def run(self, argv):
        if argv[0] == "unshare":
            with open(argv[-1] + "/multipath.conf", encoding="latin-1") as handle:
                found = self.complain(handle.read())
            return self.code, "", "Cannot open something\n" + "".join(STAMP + text + "\n" for text in found)
        self.calls.append(argv)
        if argv[1:] == ["show", "daemon"]:
            return (0, "pid 1 running", "") if self.running else (1, "", "no daemon")
        return self.reload_code, "ok" if not self.reload_code else "fail", ""


@pytest.fixture
def tools(monkeypatch):
    fake = Tools()
    real = multipath_conf.Multipathd
    monkeypatch.setattr(multipath_conf, "Multipathd", lambda run: real(fake.run))
    monkeypatch.setattr(real, "installed", staticmethod(lambda: True))
    monkeypatch.setattr(multipath_conf, "Parser", lambda run: Parser(fake.run, "/nonexistent"))
    return fake


@pytest.fixture
def conf(tmp_path):
    return tmp_path / "etc" / "multipath.conf"


@pytest.fixture
def run(run_module, tools, conf):
    return lambda **options: run_module(multipath_conf, path=str(conf), **options)


RULE = dict(vendor="CEPHGATE", product="RBD", entries=dict(prio="alua", detect_prio=False))


def test_a_first_run_makes_the_file_and_a_second_one_nothing(run, conf, tools):
    result = run(devices=[RULE])
    assert result["changed"] and result["validated"] and "backup_file" not in result
    assert conf.read_text() == (
        'devices {\n    device {\n        vendor "CEPHGATE"\n        product "RBD"\n        detect_prio no\n'
        '        prio alua\n    }\n}\n')
    assert tools.calls == [["multipathd", "show", "daemon"], ["multipathd", "reconfigure"]]
    tools.calls.clear()
    second = run(devices=[RULE])
    assert not second["changed"] and second["operations"] == [] and tools.calls == []


def test_check_mode_shows_the_change_and_makes_none(run, conf, tools):
    result = run(devices=[RULE], check_mode=True, diff=True)
    assert result["changed"] and result["validated"] and not conf.exists()
    assert 'vendor "CEPHGATE"' in result["diff"]["after"] and result["diff"]["before"] == ""
    assert ["multipathd", "reconfigure"] not in tools.calls
    assert [op["done"] for op in result["operations"]] == [False, False]


def test_what_the_parser_dislikes_is_not_written(run, conf, tools):
    conf.parent.mkdir()
    conf.write_text("defaults {\n old 1\n}\n")
    tools.complain = lambda text: [
        "/etc/multipath.conf line %d, invalid keyword in the section: %s" % (number, line.split()[0])
        for number, line in enumerate(text.splitlines(), 1) if "checker_timeout" in line or "old" in line]
    result = run(devices=[dict(RULE, entries=dict(checker_timeout=5))])
    assert result["failed"] and "checker_timeout" in result["msg"] and not result["changed"]
    assert "old" not in result["msg"] and conf.read_text() == "defaults {\n old 1\n}\n"
    # An old sin of the file is no reason to refuse: not even when its line number moved.
    assert run(blacklist=[dict(type="devnode", value="^rbd")])["changed"]


@pytest.mark.parametrize("before, after, new", [
    (["line 3, invalid keyword: x"], ["line 5, invalid keyword: x"], []),
    ([], ["line 5, invalid keyword: x"], ["line 5, invalid keyword: x"]),
    (["line 3, duplicate keyword: a"], ["line 3, duplicate keyword: a", "line 4, duplicate keyword: a"],
     ["line 4, duplicate keyword: a"])])
def test_only_new_complaints_count(before, after, new):
    assert new_complaints(before, after) == new


def test_a_parser_that_cannot_run_is_an_error_with_a_way_out(run, conf, tools):
    tools.code = 1
    result = run(devices=[RULE])
    assert result["failed"] and '"validate: false"' in result["msg"] and not conf.exists()
    assert run(devices=[RULE], validate=False)["changed"]


def test_the_candidate_is_read_together_with_the_other_files(tmp_path):
    etc = tmp_path / "etc"
    (etc / "multipath/conf.d").mkdir(parents=True)
    (etc / "multipath.conf").write_text("main")
    (etc / "multipath/conf.d/other.conf").write_text("other")
    seen = {}

    def run(argv):
        folder = tmp_path.__class__(argv[-1])
        seen.update({str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()})
        return 0, "", ""
    Parser(run, str(etc)).complaints(b"new", "multipath/conf.d/ours.conf")
    assert seen == {"multipath.conf": "main", "multipath/conf.d/other.conf": "other",
                    "multipath/conf.d/ours.conf": "new"}


def test_a_daemon_that_does_not_run_is_not_told(run, tools):
    tools.running = False
    assert run(devices=[RULE])["changed"] and tools.calls == [["multipathd", "show", "daemon"]]


@pytest.mark.parametrize("before", [None, "defaults {\n old 1\n}\n"])
def test_after_a_failed_reload_the_old_file_is_back_and_the_next_run_tries_again(run, conf, tools, before):
    if before:
        conf.parent.mkdir()
        conf.write_text(before)
    tools.reload_code = 1
    result = run(devices=[RULE])
    assert result["failed"] and not result["changed"] and "as it was" in result["msg"]
    assert (conf.read_text() if conf.exists() else None) == before
    tools.reload_code = 0
    assert run(devices=[RULE])["changed"] and tools.calls[-1] == ["multipathd", "reconfigure"]


def test_the_backup_holds_the_old_file(run, conf):
    conf.parent.mkdir()
    conf.write_bytes(b"# gr\xc3\xbc\xc3\x9fe \xff\n")
    result = run(devices=[RULE], backup=True)
    with open(result["backup_file"], "rb") as handle:
        assert handle.read() == b"# gr\xc3\xbc\xc3\x9fe \xff\n"
    assert conf.read_bytes().startswith(b"# gr\xc3\xbc\xc3\x9fe \xff\n")


def test_all_kinds_of_sections(run, conf):
    options = dict(
        defaults=dict(polling_interval=2), overrides=dict(no_path_retry="queue"), devices=[RULE],
        multipaths=[dict(wwid="36db1", entries=dict(alias="db01"))],
        blacklist=[dict(type="devnode", value="^rbd[0-9]*")],
        blacklist_exceptions=[dict(type="wwid", value="36db1")])
    assert len(run(**options)["edits"]) == 9
    assert not run(**options)["changed"]
    result = run(
        defaults=dict(polling_interval=None), overrides=dict(no_path_retry=None), devices=[dict(RULE, state="absent")],
        multipaths=[dict(wwid="36db1", state="absent")],
        blacklist=[dict(type="devnode", value="^rbd[0-9]*", state="absent")],
        blacklist_exceptions=[dict(type="wwid", value="36db1", state="absent")])
    assert len(result["edits"]) == 6
    assert [line for line in conf.read_text().splitlines() if line and not line.endswith("{") and line != "}"] == []


def test_kinds_of_disks_in_blacklists(run, conf):
    rule = dict(type="device", vendor="Msft", product="Virtual Disk")
    assert run(blacklist=[rule])["changed"] and not run(blacklist=[rule])["changed"]
    assert conf.read_text() == 'blacklist {\n    device {\n        vendor "Msft"\n        product "Virtual Disk"\n    }\n}\n'
    assert run(blacklist=[dict(rule, state="absent")])["changed"] and conf.read_text() == "blacklist {\n}\n"
    assert run(blacklist=[dict(type="device", vendor="Msft")])["failed"]
    assert run(blacklist=[dict(type="wwid", vendor="Msft", product="x")])["failed"]


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_mode_and_owner_of_the_file_stay(run, conf, mode):
    conf.parent.mkdir()
    conf.write_text("")
    conf.chmod(mode)
    run(devices=[RULE])
    assert conf.stat().st_mode & 0o777 == mode


def multipath(wwid, **entries):
    return dict(wwid=wwid, entries=entries)


@pytest.mark.parametrize("options, words", [
    (dict(defaults={"no path retry": 1}), ["defaults", "no path retry", "no keyword"]),
    (dict(overrides={"dev_loss_tmo": ["a"]}), ["overrides", "dev_loss_tmo", "is a list"]),
    (dict(devices=[dict(RULE, entries={"a{": "b"})]), ["devices: CEPHGATE RBD", "a{"]),
    (dict(devices=[dict(vendor="A", product=" ")]), ["the product of a rule is empty", ".*"]),
    (dict(devices=[RULE, dict(RULE, state="absent")]), ["CEPHGATE RBD is listed twice"]),
    (dict(multipaths=[multipath("")]), ['the WWID "" is none']), (dict(multipaths=[multipath("36 0")]), ['"36 0"']),
    (dict(multipaths=[multipath("36", alias="../a")]), ["36", '"../a"', "/dev/mapper"]), (dict(multipaths=[multipath("36", alias="a b")]), ['"a b"']),
    (dict(multipaths=[multipath("36", alias="a"), multipath("37", alias="a")]), ["alias a is given to 36 and to 37"]),
    (dict(multipaths=[multipath("36"), multipath("36")]), ["36 is listed twice"]),
    (dict(blacklist=[dict(type="wwid", value="")]), ["blacklist", "value", "every disk"]),
    (dict(blacklist_exceptions=[dict(type="device", vendor="A", product=" ")]), ["blacklist_exceptions", "the product", "every disk"]),
    (dict(blacklist=[dict(type="wwid", value="36"), dict(type="wwid", value="36", state="absent")]), ['wwid "36" is listed twice']),
    (dict(devices=[dict(RULE, entries=dict(product="C"))]), ["devices: CEPHGATE RBD", "product is no entry"]),
    (dict(multipaths=[dict(wwid="36", entries=dict(wwid=37))]), ["multipaths: 36", "wwid is no entry"]),
    (dict(overrides=dict(protocol="x", rr_min_io=1)), ["overrides", "protocol is no entry"]),
    (dict(devices=[dict(vendor="A\nB", product="C")]), ["vendor has several lines"]), (dict(devices=[dict(vendor="A", product="C\r")]), ["product has"]),
    (dict(blacklist=[dict(type="device", vendor="A", product="B" * 901)]), ["product has 901 characters"]),
    (dict(multipaths=[multipath("36\n")]), ["36", "is none"]), (dict(defaults={"prio\n": 1}), ["is no keyword"]),
    (dict(multipaths=[multipath("36", alias="a\n")]), ["several lines"]),
    (dict(multipaths=[multipath("36", alias=5), multipath("37", alias="5")]), ["alias 5 is given to 36 and to 37"]),
    (dict(blacklist=[dict(type="wwid", value="36", vendor="A")]), ['type wwid has a vendor ("A")', "type device"]),
    (dict(blacklist=[dict(type="device", vendor="A", product="B", value="C")]), ['type device has a value ("C")']),
    (dict(devices="CEPHGATE"), ["devices is no list of dictionaries with the keys"]), (dict(multipaths=["36"]), ["multipaths[0] is no dictionary"]),
    (dict(device=[RULE]), ["options: device is none of its keys"])])
def test_what_multipath_would_take_for_something_else_is_refused(run, conf, tools, options, words):
    result = run(**options)
    assert result["failed"] and not result["changed"] and not conf.exists() and tools.calls == []
    for word in words:
        assert word in result["msg"]


def test_what_is_said_and_shown_has_the_letters_of_the_file(run, conf):
    conf.parent.mkdir()
    conf.write_bytes(u"# größer\n".encode("utf-8"))
    result = run(devices=[dict(vendor=u"Ä", product="B", entries=dict(alias_prefix=u"gerät"))], diff=True)
    assert [text for text in result["edits"] if u"gerät" in text] and u"Ä" in result["operations"][0]["action"]
    assert u"größer" in result["diff"]["before"] and u"gerät" in result["diff"]["after"]
    assert conf.read_bytes().decode("utf-8") == result["diff"]["after"]


def test_an_alias_may_go_from_one_disk_to_another(run):
    assert run(multipaths=[multipath("36", alias="a")])["changed"]
    assert run(multipaths=[dict(wwid="36", state="absent"), multipath("37", alias="a")])["changed"]


def test_a_relative_path_and_a_file_that_is_no_text_are_refused(run_module, run, tools, conf):
    assert "is relative" in run_module(multipath_conf, path="multipath.conf")["msg"]
    assert "is a folder" in run_module(multipath_conf, path=str(conf.parent.parent))["msg"]
    conf.parent.mkdir()
    conf.write_bytes(b"defaults {\n}\n\xff\x00")
    result = run(devices=[RULE])
    assert result["failed"] and "line 3 holds a NUL byte" in result["msg"] and conf.read_bytes().endswith(b"\xff\x00")


def test_overrides_that_take_our_rule_out_of_force_are_said(run, conf, monkeypatch):
    said = []
    monkeypatch.setattr(multipath_conf.DeclaredModule, "warn", lambda self, text, **more: said.append(text))
    conf.parent.mkdir()
    conf.write_text("overrides {\n    no_path_retry fail\n    fast_io_fail_tmo 5\n}\n")
    rule = dict(RULE, entries=dict(no_path_retry="queue", fast_io_fail_tmo=5, prio="alua"))
    run(devices=[rule])
    assert len(said) == 1
    for word in ("%s line 2" % conf, "no_path_retry to fail", "no_path_retry queue of the rule for CEPHGATE RBD"):
        assert word in said[0]
    run(devices=[dict(rule, state="absent")])
    assert len(said) == 1


def test_the_folder_of_more_files_is_read_for_the_main_file(tmp_path):
    (tmp_path / "b.conf").touch()
    (tmp_path / "a.conf").touch()
    (tmp_path / "a.conf.old").touch()
    assert others("/etc/multipath.conf", str(tmp_path)) == [str(tmp_path / "a.conf"), str(tmp_path / "b.conf")]
    assert others(str(tmp_path / "a.conf"), str(tmp_path)) == [] == others("/etc/multipath.conf", str(tmp_path / "none"))
