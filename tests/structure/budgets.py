#!/usr/bin/env python3
"""What a reader can count on: short headers, short functions, lines that fit, nothing left to do.

Reports medians; fails on what is beyond the limit for a single header, function or line.
"""

import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER, FUNCTION, COLUMNS = 450, 60, 100
LICENCE = '// SPDX-License-Identifier: BSL-1.0'
CONTROL = re.compile(r'\s*(?:\}\s*)?(?:if|for|while|switch|do|else|try|catch)\b')
SCOPE = re.compile(r'\s*(?:template .*)?(?:inline )?(?:namespace|class|struct|enum|union|extern)\b')


def functions(lines):
    """(first line, number of lines) of each function: its braces stand on lines of their own."""
    for number, line in enumerate(lines):
        indent = line[:-1] if line.strip() == '{' else None
        if indent is None:
            continue
        first = number - 1
        while first > 0 and (not lines[first].startswith(indent) or
                             lines[first].startswith(indent + ' ') or
                             lines[first].lstrip().startswith(':')):
            first -= 1
        if CONTROL.match(lines[first]) or SCOPE.match(lines[first]) or not lines[first].strip():
            continue
        last = next(n for n in range(number, len(lines)) if re.match(indent + r'\}', lines[n]))
        yield first + 1, last - number - 1


def quantile(figures, part):
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * part))]


def main():
    wrong, headers, bodies, conditionals = [], [], [], 0
    sources = [path for folder in ('include', 'src', 'tests', 'examples', 'benchmarks', 'tools')
               for path in sorted((ROOT / folder).rglob('*'))
               if path.is_file() and '__pycache__' not in path.parts and
               path.parent.parent.name != 'fuzz']  # inputs of fuzz targets
    for path in sources:
        name = path.relative_to(ROOT)
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if '\0' in text:
            continue  # a sample of bytes
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                wrong.append(f'{name}:{number}: {len(line)} columns')
            if re.search(r'\b(TODO|FIXME)\b', line) and path.name != 'budgets.py':
                wrong.append(f'{name}:{number}: {line.strip()}')
        if path.suffix in ('.hpp', '.ipp', '.cpp') and 'refused' not in path.parts and \
                lines[:1] != [LICENCE]:
            wrong.append(f'{name}:1: the first line names the licence')
        if name.parts[0] != 'include' or path.suffix not in ('.hpp', '.ipp'):
            continue
        if '#pragma once' not in lines[:2]:
            wrong.append(f'{name}:2: #pragma once')
        wrong += [f'{name}:{number}: {line}' for number, line in enumerate(lines, 1)
                  if re.match(r'\s*using namespace', line)]
        headers.append(len(lines))
        conditionals += sum(bool(re.match(r'#\s*(if|elif)', line)) for line in lines)
        if len(lines) > HEADER:
            wrong.append(f'{name}: {len(lines)} lines, the limit is {HEADER}')
        for number, length in functions(lines):
            bodies.append(length)
            if length > FUNCTION:
                wrong.append(f'{name}:{number}: a function of {length} lines: at most {FUNCTION}')
    for what, figures in (('lines of a header', headers), ('lines of a function', bodies)):
        print(f'{what}: median {statistics.median(figures):.0f}, p90 {quantile(figures, .9)}, '
              f'max {max(figures)}, of {len(figures)}')
    print(f'conditionals: {conditionals * 1000 / sum(headers):.1f} per 1,000 lines')
    sys.exit('\n'.join(wrong) or None)


if __name__ == '__main__':
    main()
