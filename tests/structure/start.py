#!/usr/bin/env python3
"""Does what docs/start.md says, way by way, each in a folder of its own with brood in it.

    <!-- writes hello.cpp -->   the block becomes this file; before the first way, for all of them
    <!-- runs -->               commands, of which each must succeed
    <!-- prints -->             all that those commands print, with any numbers
    <!-- ends with -->          the last lines of it

usage: start.py [WAY...]        a way is a heading; these words are in it
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from documents import ROOT, blocks

PAGE = ROOT / 'docs/start.md'


def ways():
    """(heading, blocks) of each way; those before the first one belong to all."""
    headings = [(found.start(), found[1]) for found in
                re.finditer(r'^## (.*)$', PAGE.read_text(), re.MULTILINE)]
    lines = [(PAGE.read_text().count('\n', 0, start) + 1, name) for start, name in headings]
    found = {}
    for block in blocks(PAGE):
        name = next((name for line, name in reversed(lines) if line < block.line), '')
        found.setdefault(name, []).append(block)
    common = found.pop('')
    return {name: common + some for name, some in found.items()
            if any(block.mark == 'runs' for block in some)}


def lay_out(folder):
    """Brood as a clone leaves it, of the tree as it is now, without what was built."""
    git = ['git', '-C', folder / 'brood', '-c', 'user.name=start', '-c', 'user.email=start']
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, check=True,
                            text=True, stdout=subprocess.PIPE).stdout.splitlines()
    for name in listed:
        if (ROOT / name).exists():
            target = folder / 'brood' / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    for words in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'As it is now']):
        subprocess.run([*git, *words], check=True)


def follow(folder, some):
    """What is wrong with the blocks of one way, or nothing."""
    said = ''
    for block in some:
        verb, _, name = block.mark.partition(' ')
        if verb == 'writes':
            (folder / name).write_text(block.text)
        elif verb == 'runs':
            run = subprocess.run(['bash', '-euxc', block.text], cwd=folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            said = run.stdout
            if run.returncode:
                return f'{block.place}: {run.stderr}{said}'
        elif block.mark in ('prints', 'ends with'):
            wanted, got = (re.sub(r'\b\d+\b', '<n>', text).splitlines()
                           for text in (block.text, said))
            if got[-len(wanted):] != wanted or (verb == 'prints' and len(got) != len(wanted)):
                return f'{block.place}: it printed\n{said}'
    return ''


def main():
    wrong = []
    chosen = {name: some for name, some in ways().items()
              if not sys.argv[1:] or any(word in name for word in sys.argv[1:])}
    os.environ.setdefault('CMAKE_BUILD_PARALLEL_LEVEL', '2')
    os.environ['CXXFLAGS'] = '-g0'  # what costs time and nobody looks at here
    for name, some in chosen.items():
        with tempfile.TemporaryDirectory() as place:
            lay_out(pathlib.Path(place))
            if complaint := follow(pathlib.Path(place), some):
                wrong.append(f'{name}: {complaint}')
    print(f'{len(chosen) - len(wrong)} passed, {len(wrong)} failed')
    sys.exit('\n'.join(wrong) or None if chosen else 'no such way')


if __name__ == '__main__':
    main()
