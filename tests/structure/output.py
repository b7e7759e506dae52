#!/usr/bin/env python3
"""Runs an example and compares what it prints with the promise in its first comment.

    // Prints:
    //   worker 1 online, pid <n>
    //   done

<n> stands for any number. "Prints, in any order:" allows the lines to come in any order. "Prints,
once for each worker:" allows the one line any number of times, but not none. An empty comment
line, or the end of the comment, ends the promise.

usage: output.py PROGRAM SOURCE
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys
import time

LIMIT = 60  # seconds


def promise(source):
    """The promised lines and what stands behind "Prints"."""
    comment = re.match(r'(?://.*\n)+', source.removeprefix('// SPDX-License-Identifier: BSL-1.0\n'))
    how = ', in any order|, once for each [^:]*'
    block = comment and re.search(rf'^// Prints({how})?:\n((?://   .*\n)*)', comment[0],
                                  re.MULTILINE)
    if not block:
        return None, ''
    return [line[5:] for line in block[2].splitlines()], block[1] or ''


def masked(lines, promised):
    """The lines with each number that a promised line leaves open replaced by <n>."""
    patterns = [(line, re.compile(re.escape(line).replace('<n>', r'-?\d+(?:\.\d+)?')))
                for line in promised]
    result = []
    for line in lines:
        result.append(next((text for text, pattern in patterns if pattern.fullmatch(line)), line))
    return result


def difference(promised, printed, how):
    """What differs, as lines; empty when the promise is kept."""
    got = masked(printed, promised)
    if 'once for each' in how:
        promised = promised * max(1, len(got))
    if 'any order' in how:
        promised, got = sorted(promised), sorted(got)
    return list(difflib.unified_diff(promised, got, 'promised', 'printed', lineterm=''))


def left_behind(mark):
    """The processes that still run with this mark in their environment, after a moment."""
    for _ in range(50):
        left = []
        for folder in pathlib.Path('/proc').glob('[0-9]*'):
            try:
                if mark.encode() in (folder / 'environ').read_bytes().split(b'\0'):
                    left.append(f'process {folder.name} was left behind')
            except OSError:
                pass  # it has ended meanwhile, or is somebody else's
        if not left:
            break
        time.sleep(0.1)
    return left


def main():
    program, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    promised, how = promise(source.read_text())
    if promised is None:
        sys.exit(f'{source}: its first comment has no "Prints:" block')
    mark = f'BROOD_EXAMPLE={os.getpid()}'
    run = subprocess.run([program], cwd=program.parent, stdin=subprocess.DEVNULL, timeout=LIMIT,
                         env={**os.environ, 'BROOD_EXAMPLE': str(os.getpid())}, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wrong = difference(promised, run.stdout.splitlines(), how)
    if run.returncode != 0:
        wrong.append(f'it ended with {run.returncode}')
    wrong += left_behind(mark)
    sys.exit('\n'.join([f'{source}:'] + wrong) if wrong else None)


if __name__ == '__main__':
    main()
