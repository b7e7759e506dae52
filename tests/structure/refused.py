#!/usr/bin/env python3
"""What must not compile is refused with a sentence that says the cure, as the first error.

The sentence stands in the first line of each file: // refused: a message cannot be a pointer
What only g++ before 13 has to refuse says so, // refused by g++ 12: ..., and compiles elsewhere;
likewise // refused by clang: ... A line // flags: ... after it adds to the command line, where
{tests} is the folder of the tests.

usage: refused.py BUILD_DIRECTORY
"""

import re
import sys

from compiler import ROOT, Compiler, report


def main():
    compiler = Compiler(sys.argv[1])

    def refusal(source):
        first, second = source.read_text().split('\n')[:2]
        head = re.fullmatch(r'// refused( by (?P<by>g\+\+ 12|clang))?: (?P<sentence>.+)', first)
        if not head:
            return 'its first line must be "// refused: " and the sentence'
        sentence = head['sentence'].strip()
        flags = re.fullmatch(r'// flags: (.+)', second)
        error = compiler.first_error(
            source, *(flags[1].format(tests=ROOT / 'tests').split() if flags else []))
        elsewhere = {'clang': compiler.is_clang, 'g++ 12': compiler.is_old_gcc}.get(head['by'])
        if elsewhere and not elsewhere():
            return error and f'should compile here: {error}'
        if not error:
            return f'compiles, but should be refused: {sentence}'
        return '' if sentence in error else f'\n  promised: {sentence}\n  first error: {error}'

    sources = sorted((ROOT / 'tests/refused').glob('*.cpp'))
    sys.exit(not report(refusal, sources))


if __name__ == '__main__':
    main()
