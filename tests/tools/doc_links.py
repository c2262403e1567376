# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every link within built pages, and within the Markdown files of the repository, leads to a file and a heading that exist.

usage: doc_links.py FOLDER_OF_HTML [MARKDOWN_FILE...]

Links to other sites are not followed: there is no network in tests.
"""
import html.parser
import pathlib
import re
import sys
import urllib.parse

from markdown_it import MarkdownIt


class Page(html.parser.HTMLParser):
    """Links and anchors of one page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors.update(attrs[name] for name in ('id', 'name') if attrs.get(name))
        self.links += [attrs[name] for name in ('href', 'src') if attrs.get(name) and tag in ('a', 'img', 'link', 'script')]


def slug(heading):
    """The anchor that forges give to a heading."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


class Markdown(Page):

    def __init__(self, text):
        tokens = MarkdownIt().enable('table').parse(text)
        super().__init__(MarkdownIt().enable('table').render(text))
        self.anchors.update(slug(''.join(part.content for part in tokens[i + 1].children))
                            for i, token in enumerate(tokens) if token.type == 'heading_open')


def broken(path, page, pages):
    """Texts on links of a page that lead nowhere. pages: cache {path: Page or None}."""
    for link in page.links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path.resolve()
        if not target.exists():
            yield '%s: %s does not exist' % (path, link)
        elif parts.fragment and target.suffix in ('.html', '.md'):
            if target not in pages:
                pages[target] = read(target)
            if urllib.parse.unquote(parts.fragment) not in pages[target].anchors:
                yield '%s: no heading or anchor for %s' % (path, link)


def read(path):
    return (Markdown if path.suffix == '.md' else Page)(path.read_text(encoding='utf-8'))


def main(folder, *files):
    paths = sorted(pathlib.Path(folder).rglob('*.html')) + [pathlib.Path(name) for name in files]
    pages = {path.resolve(): read(path) for path in paths}
    found = [text for path in paths for text in broken(path, pages[path.resolve()], pages)]
    for text in found:
        print(text, file=sys.stderr)
    links = sum(len(page.links) for page in pages.values())
    print('doc_links: %d pages, %d links, %d broken' % (len(paths), links, len(found)))
    return bool(found)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
