#!/usr/bin/env python3
"""Every header compiles alone and twice, and all of them together define nothing twice.

usage: standalone.py BUILD_DIRECTORY
"""

import re
import sys

from compiler import ROOT, Compiler, report


def main():
    compiler = Compiler(sys.argv[1])
    objects = {}

    def compile_alone(header):
        source = header.replace('/', '_').replace('.hpp', '.cpp')
        line = f'#include <brood/{header}>\n'
        objects[header], complaints = compiler.object('standalone/' + source, line + line)
        return complaints

    headers = sorted(path.relative_to(ROOT / 'include/brood').as_posix()
                     for path in (ROOT / 'include/brood').rglob('*.hpp'))
    if not compiler.has_http():
        print('left out, because there is no Boost: http')
        headers = [name for name in headers if not re.match(r'http\b', name)]
    if not report(compile_alone, headers):
        sys.exit(1)
    linked = compiler.run('-shared', '-o', '/dev/null', *objects.values())
    sys.exit(linked.stdout if linked.returncode else None)


if __name__ == '__main__':
    main()
