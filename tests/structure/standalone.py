#!/usr/bin/env python3
"""Every header compiles alone and twice, for programs that compile the bodies separately as well as
header-only; and all of them together define nothing twice.

usage: standalone.py BUILD_DIRECTORY
"""

import re
import sys

from compiler import ROOT, Compiler, report
from floors import is_face

INCLUDE = ROOT / 'include/brood'
SEPARATE, HERE = '-DBROOD_SEPARATE_COMPILATION', '-UBROOD_SEPARATE_COMPILATION'


def main():
    compiler = Compiler(sys.argv[1])
    objects = {SEPARATE: [], HERE: []}

    def alone(case):
        """Compiles a header twice included: to an object, or only to see that it can be."""
        name, mode, keep = case
        source = mode[1] + '_' + re.sub(r'[/.]', '_', name) + '.cpp'
        line = f'#include <brood/{name}>\n'
        # Two files with all headers show what is not inline.
        for number in ('', '2') if keep and mode == HERE else ('',):
            target, complaints = compiler.object(f'standalone/{number}{source}', line + line, mode,
                                                 *([] if keep else ['-fsyntax-only']))
            if keep:
                objects[mode].append(target)
            if complaints:
                return complaints
        return ''

    every = sorted(path.relative_to(INCLUDE).as_posix() for path in INCLUDE.rglob('*.?pp'))
    if not compiler.has_http():
        print('left out, because there is no Boost: http')
        every = [name for name in every if not re.match(r'http\b', name)]
    doors = [name for name in every if '/' not in name]
    # What is mechanism is never included first by a program that is header-only.
    cases = [(name, HERE, name in doors) for name in every if is_face(name) or name in doors] + \
        [(name, SEPARATE, True) for name in every if name != 'impl/src.hpp']
    if not report(alone, cases):
        sys.exit(1)
    for mode, some in objects.items():
        linked = compiler.run('-shared', '-o', '/dev/null', *some)
        if linked.returncode:
            sys.exit(f'{mode}\n{linked.stdout}')


if __name__ == '__main__':
    main()
