#!/usr/bin/env python3
"""Runs coroutines.query over the programs with coroutines that a build directory of clang compiles.

Slower than coroutines.py, a second or two for each program, so it runs in CI and not with every
test. First it must tell the samples apart.

usage: coroutine_types.py BUILD_DIRECTORY
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

from compiler import ROOT, report

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE / 'coroutine_types.cpp'


def clang_query(command):
    """The one of the same version as the compiler, whose precompiled header it has to read."""
    version = re.search(r'clang\+\+(-\d+)?', command) or sys.exit('this is no build by clang')
    name = 'clang-query' + (version[1] or '')
    return shutil.which(name) or sys.exit(f'{name} is needed: Debian package clang-tools')


def findings(tool, build, source, *flags):
    """What the matchers find in one source: {file: {line}}, and what went wrong."""
    said = subprocess.run([tool, '-f', HERE / 'coroutines.query', '-p', build, source, *flags],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    found = collections.defaultdict(set)
    for name, line in re.findall(r'^(\S+?):(\d+):\d+: note: "root" binds here', said, re.MULTILINE):
        found[pathlib.Path(build, name).resolve()].add(int(line))
    finished = len(re.findall(r'^\d+ match(?:es)?\.$', said, re.MULTILINE))
    asked = len(re.findall(r'^match ', (HERE / 'coroutines.query').read_text(), re.MULTILINE))
    sound = finished == asked and not re.search(r'\berror:', said)
    return found, '' if sound else '\n'.join(said.splitlines()[-20:])


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    commands = json.loads((build / 'compile_commands.json').read_text())
    tool = clang_query(commands[0]['command'])

    found, trouble = findings(tool, build, SAMPLES, '--', '-std=c++20', f'-I{ROOT}/include',
                              '-DASIO_HAS_CO_AWAIT=1', '-DASIO_HAS_STD_COROUTINE=1')
    promised = {number for number, line in enumerate(SAMPLES.read_text().splitlines(), 1)
                if re.search(r'; +// wrong|\) +// wrong', line)}
    if trouble or found[SAMPLES] != promised:
        sys.exit(f'{SAMPLES.name}: found {sorted(found[SAMPLES])}, '
                 f'promised {sorted(promised)}\n{trouble}')

    def complaints(source):
        found, trouble = findings(tool, build, source)
        places = [f'\n{path.relative_to(ROOT)}:{line}: double free on g++ 12: name the value first'
                  for path, lines in found.items() for line in sorted(lines)]
        return trouble + ''.join(places)

    sources = {str((build / command['file']).resolve()) for command in commands}
    # The files of the library only include those with bodies.
    ours = sorted(name for name in sources
                  if re.match(f'{ROOT}/(src|tests|examples|benchmarks)/', name)
                  and not name.endswith('.hpp')
                  and ('/src/' in name or 'co_await' in pathlib.Path(name).read_text()))
    sys.exit(not report(complaints, ours))


if __name__ == '__main__':
    main()
