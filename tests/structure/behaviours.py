#!/usr/bin/env python3
"""The table of docs/node.md and the tests are in step: a file that a line names has a test with the
tag of that line, no test with the tag is missing there, and a line without a test says why."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^\| (B?\d+) \| (.+) \| (.+) \|$', re.MULTILINE)


def tagged():
    """The files of tests by the lines that their tags name."""
    files = {}
    for path in sorted((ROOT / 'tests').rglob('*.cpp')):
        for line in re.findall(r'\[node-(B?\d+)\]', path.read_text()):
            files.setdefault(line, set()).add(path.relative_to(ROOT).as_posix())
    return files


def complaints(rows, files):
    for line, _, where in rows:
        named = set(re.findall(r'`((?:tests|examples)/[\w./]+)`', where))
        for name in sorted(name for name in named if not (ROOT / name).exists()):
            yield f'line {line}: there is no {name}'
        if re.match('Does not apply: .', where):
            continue
        if not named:
            yield f'line {line}: names no test and gives no reason'
        shown = {name for name in named if not re.match('examples/|tests/refused/', name)}
        for name in sorted(shown - files.get(line, set())):
            yield f'line {line}: {name} has no test with [node-{line}]'
        for name in sorted(files.get(line, set()) - shown):
            yield f'line {line}: {name} has a test of it, and is not named'


def main():
    rows = ROW.findall((ROOT / 'docs/node.md').read_text())
    wrong = list(complaints(rows, tagged()))
    lines = [line for line, _, _ in rows]
    wrong += [f'line {line}: stands there twice' for line in set(lines) if lines.count(line) > 1]
    print(f'{len(rows)} behaviours')
    sys.exit('\n'.join(wrong) or (None if rows else 'no table in docs/node.md'))


if __name__ == '__main__':
    main()
