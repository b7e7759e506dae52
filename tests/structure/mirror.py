#!/usr/bin/env python3
"""Every header has a test at the same path that includes it first, and nothing is left unlisted:
each test, example and benchmark is named in the meson.build of its folder.

A header under detail/ or internal/ may be tested through the one it serves.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Compiled otherwise, or nothing to run in them.
ELSEWHERE = r'tests/(structure|consumer|refused|fuzz|pch)/.*|tests/support/(asio|session)\.cpp'
UNTESTED = {'version.hpp', 'brood.hpp', 'base/asio.hpp'}


def listed(folder):
    """The names between the quotes of a folder's meson.build."""
    return set(re.findall(r"'([\w/]+)'", (ROOT / folder / 'meson.build').read_text()))


def unlisted():
    for folder in ('tests', 'examples', 'benchmarks'):
        names = listed(folder)
        for path in sorted((ROOT / folder).rglob('*.cpp')):
            name = path.relative_to(ROOT).as_posix()
            if not re.fullmatch(ELSEWHERE, name) and \
                    path.relative_to(ROOT / folder).with_suffix('').as_posix() not in names:
                yield f'{name}: is not listed in {folder}/meson.build'


def untested():
    include = ROOT / 'include/brood'
    for header in sorted(include.rglob('*.hpp')):
        name = header.relative_to(include)
        test = (ROOT / 'tests' / name).with_suffix('.cpp')
        if test.exists():
            first = re.search(r'^#include [<"](.*)[>"]', test.read_text(), re.MULTILINE)
            if not first or first[1] != f'brood/{name.as_posix()}':
                yield f'{test.relative_to(ROOT)}: does not include brood/{name.as_posix()} first'
        elif not {'detail', 'internal', 'impl'} & set(name.parts) and \
                name.as_posix() not in UNTESTED and \
                not header.with_suffix('').is_dir():  # a door
            yield f'include/brood/{name.as_posix()}: has no {test.relative_to(ROOT)}'


if __name__ == '__main__':
    sys.exit('\n'.join([*unlisted(), *untested()]) or None)
