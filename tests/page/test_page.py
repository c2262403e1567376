# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page in a real browser: at a desk, on a phone, in the dark, on paper. Pictures are left in build/page."""
import pathlib
import re
import struct
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import sites  # noqa: E402
from browser import Browser  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document, status_page  # noqa: E402

PICTURES = HERE.parents[1] / 'build/page'
WIDTHS = dict(desk=1280, tablet=768, phone=390)

# Every piece of visible text with its box; what lies on another's box, and what leaves its own container or the screen.
LOOK = """(() => {
  const boxes = [], problems = [], wide = document.documentElement.clientWidth;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.textContent.trim();
    if (!words || node.parentElement.closest('style,title,details:not([open])>:not(summary)')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width > 0 && box.height > 0) boxes.push({words, element: node.parentElement, l: box.left, r: box.right, t: box.top, b: box.bottom});
  }
  boxes.sort((one, other) => one.t - other.t);
  boxes.forEach((one, place) => {
    if (one.l < -0.5 || one.r > wide + 0.5) problems.push('leaves the screen: ' + one.words);
    const frame = one.element.closest('.tile,.problem,.table,figure,header,footer');
    if (frame && !one.element.closest('svg')) {
      const edge = frame.getBoundingClientRect();
      if (one.r > edge.right + 0.5 || one.l < edge.left - 0.5) problems.push('leaves its frame: ' + one.words);
    }
    for (let next = place + 1; next < boxes.length && boxes[next].t < one.b - 3; next++) {
      const other = boxes[next];
      // Line boxes of one text touch; a text on another shares more than their leading.
      if (other.element !== one.element && Math.min(one.r, other.r) - Math.max(one.l, other.l) > 1 &&
          Math.min(one.b, other.b) - other.t > 4) problems.push('"' + one.words + '" lies on "' + other.words + '"');
    }
  });
  for (const word of document.querySelectorAll('td .w'))
    if (word.getClientRects().length > 1 || word.getBoundingClientRect().height > 40) problems.push('is broken into lines: ' + word.textContent);
  const labels = [...document.querySelectorAll('svg.map')].filter(map => map.getBoundingClientRect().width).flatMap(
    map => [...map.querySelectorAll('.name')].map(text => text.textContent));
  for (const label of labels) if (labels.filter(other => other === label).length > 1) problems.push('stands for two: ' + label);
  for (const node of document.querySelectorAll('svg.map')) {
    if (!node.getBoundingClientRect().width) continue;
    const rects = [...node.querySelectorAll('rect.node')].map(rect => rect.getBoundingClientRect());
    for (const text of node.querySelectorAll('g text')) {
      const box = text.getBoundingClientRect();
      if (!rects.some(rect => box.left >= rect.left && box.right <= rect.right + 0.5 && box.top >= rect.top && box.bottom <= rect.bottom + 0.5))
        problems.push('is not within its node: ' + text.textContent);
    }
  }
  return {problems, count: boxes.length, scroll: document.documentElement.scrollWidth, wide,
          small: Math.min(...boxes.filter(box => !box.element.closest('svg')).map(box => parseFloat(getComputedStyle(box.element).fontSize))),
          drawn: Math.min(...[...document.querySelectorAll('svg.map text')].filter(text => text.getBoundingClientRect().width).map(text => {
            const map = text.closest('svg');
            return parseFloat(getComputedStyle(text).fontSize) * map.getBoundingClientRect().width / map.viewBox.baseVal.width;
          })),
          maps: [...document.querySelectorAll('svg.map')].filter(map => map.getBoundingClientRect().width).length};
})()"""


@pytest.fixture(scope='module')
def browser():
    PICTURES.mkdir(parents=True, exist_ok=True)
    one = Browser()
    yield one
    one.close()


@pytest.fixture(scope='module')
def pages():
    """{scene: (path, document)}"""
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, scene in sites.SCENES.items():
        document = status_document.build(scene())
        path = PICTURES / (name + '.html')
        path.write_text(status_page.page(document))
        made[name] = path, document
    return made


@pytest.mark.parametrize('width', WIDTHS)
@pytest.mark.parametrize('scene', sorted(sites.SCENES))
def test_nothing_overflows_or_lies_on_something_else(browser, pages, scene, width):
    browser.open(pages[scene][0], WIDTHS[width])
    found = browser.ask(LOOK)
    browser.picture(PICTURES / ('%s-%s.png' % (scene, width)), 4000)
    assert found['problems'] == [] and found['count'] > 40
    assert found['scroll'] <= found['wide'] == WIDTHS[width]
    assert found['small'] >= 11 and found['maps'] == 1
    assert found['drawn'] >= 8.9, 'the drawing is scaled down until its text cannot be read'
    assert browser.requests == ['file://%s' % pages[scene][0]], 'the page loads something'


def test_what_is_checked_is_noticed(browser, pages, tmp_path):
    """A page that has these faults fails these checks."""
    text = pages['healthy'][0].read_text()
    for fault, style in (('lies on', 'h2{margin-top:-40px}'), ('leaves the screen', '.where{width:2000px;text-align:right;display:block}'),
                         ('leaves its frame', '.tile b{font-size:70px}.tile dd{white-space:nowrap!important}'),
                         ('is not within its node', '.map text{font-size:34px}')):
        path = tmp_path / 'fault.html'
        path.write_text(text.replace('</style>', style + '</style>'))
        browser.open(path, 390)
        assert any(fault in problem for problem in browser.ask(LOOK)['problems']), fault


CONTRAST = """(() => {
  const light = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255).map(part => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2];
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  const found = {};
  for (const element of document.querySelectorAll('h1,h2,p,dt,dd,li,th,td span,small,footer,figcaption span,summary')) {
    const one = light(getComputedStyle(element).color), other = light(ground(element));
    found[element.tagName + '.' + element.className] = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
  }
  return found;
})()"""


@pytest.mark.parametrize('dark', [False, True])
@pytest.mark.parametrize('scene', ['disk_lost', 'path_degraded', 'healthy', 'taken_over', 'large'])
def test_text_can_be_read_in_light_and_dark(browser, pages, scene, dark):
    """WCAG 2.1, 1.4.3: a contrast of 4.5 to 1."""
    browser.open(pages[scene][0], 1280, dark=dark)
    if dark:
        browser.picture(PICTURES / (scene + '-dark.png'))
    found = browser.ask(CONTRAST)
    assert len(found) > 8 and not {name: ratio for name, ratio in found.items() if ratio < 4.5}
    assert (sum(browser.ask("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")) < 150) == dark


@pytest.mark.parametrize('scene', sorted(sites.SCENES))
def test_printed(browser, pages, scene):
    """On A4 every problem is there, nothing is cut off at the edge, and a large site needs few sheets."""
    path, document = pages[scene]
    paper = PICTURES / (scene + '.pdf')
    browser.open(path, 1280)
    browser.paper(paper)
    words = ' '.join(subprocess.check_output(['pdftotext', paper, '-'], text=True).split())
    for problem in document['problems']:
        assert problem['remedy'].split(' ')[0] in words
        assert all(re.sub(r'\W', '', name)[:20] in re.sub(r'\W', '', words) for name in problem['objects'][:2])
    layout = subprocess.check_output(['pdftotext', '-bbox', paper, '-'], text=True)
    width = float(re.search(r'<page width="([\d.]+)"', layout).group(1))
    edges = [float(value) for value in re.findall(r'xMax="([\d.]+)"', layout)]
    assert max(edges) <= width - 20 and layout.count('<page ') <= 6
    subprocess.check_call(['pdftoppm', '-r', '60', '-png', '-f', '1', '-l', '1', '-singlefile', paper, PICTURES / (scene + '-paper')])
    picture = (PICTURES / (scene + '-paper.png')).read_bytes()
    assert struct.unpack('>II', picture[16:24])[1] > 600


def test_the_verdict_is_first(browser, pages):
    """Within the first screen of a phone: the verdict, in a word and a sign, and the first problem."""
    browser.open(pages['gateway_down'][0], 390)
    places = browser.ask("['h1', '.problem h3', '.problem .do'].map(name => document.querySelector(name).getBoundingClientRect().bottom)")
    assert places[0] < 150 and places[2] < 844, places


@pytest.mark.parametrize('scene, sign', [('healthy', 'healthy'), ('path_degraded', 'degraded'), ('gateway_down', 'degraded'), ('disk_lost', 'broken')])
def test_states_have_shapes_and_words(browser, pages, scene, sign):
    """Without any colour: the sign beside the verdict, and lines that do not work are dashed and carry a sign."""
    browser.open(pages[scene][0], 1280)
    assert browser.ask("document.querySelector('header use').getAttribute('href')") == '#s-' + sign
    assert browser.ask("document.querySelector('h1').textContent") == sign.capitalize()
    bad = browser.ask("""[...document.querySelectorAll('svg.map.wide path.l-bad, svg.map.wide path.l-part')].map(
        path => getComputedStyle(path).strokeDasharray)""")
    marks = browser.ask("document.querySelectorAll('svg.map.wide > use').length")
    assert len(bad) == marks and 'none' not in bad and bool(bad) == (scene != 'healthy')
