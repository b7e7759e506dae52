#!/usr/bin/env python3
"""No code in prose that is not compiled: checks the C++ of README.md and docs/*.md.

A block of C++ compiles as it stands: declarations in a namespace of their own, or, when it starts
with ```cpp statements, inside a coroutine. A comment before the block says what else it is:

    <!-- examples/exec.cpp -->         consecutive lines of that file
    <!-- examples/exec.cpp prints -->  what that file promises in its first comment (any block)
    <!-- given: auto child = ...; -->  compiled before the block, not shown to the reader
    <!-- refused: a sentence -->       must not compile, and that is the first error
    <!-- refused by g++ 12: ... -->    the same there, and compiles elsewhere
    <!-- wrong -->                     compiles, but must not be imitated: the lint leaves it out
    <!-- writes hello.cpp -->          a whole file, which start.py compiles

What a page says that a test holds is held: `tests/wire/channel.cpp`: "sentence" names a test there,
and each line of docs/guarantees.md names one. README.md shows nothing that is left open. What a
page leads to is there.

usage: documents.py [BUILD_DIRECTORY [PAGE...]]   without a build directory, nothing is compiled;
                                                  with pages (clusters.md), only these are
"""

import pathlib
import re
import sys
import textwrap
from dataclasses import dataclass

from output import promise

ROOT = pathlib.Path(__file__).resolve().parents[2]

PREAMBLE = '''\
#include <brood/brood.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

'''


@dataclass
class Block:
    """One fenced block: where it stands, what it says it is, and what it holds."""
    document: pathlib.Path
    line: int  # of the first line inside the fence
    language: str
    mark: str  # the comment before it
    text: str

    @property
    def place(self):
        return f'{self.document.relative_to(ROOT)}:{self.line}'

    @property
    def is_file(self):
        return re.fullmatch(r'[\w./]+\.\w+( prints)?', self.mark) is not None

    @property
    def refusal(self):
        """Whether only g++ before 13 refuses it, and the sentence; nothing for other blocks."""
        found = re.fullmatch(r'refused( by g\+\+ 12)?:\s*(.+)', self.mark)
        return found and (bool(found[1]), found[2])

    @property
    def is_code(self):
        return self.language.startswith('cpp') and not self.is_file and \
            not self.mark.startswith('writes ')


def blocks(document):
    text = document.read_text()
    pattern = r'(?:^<!--((?:(?!-->).|\n)*)-->\n\s*)?^```(.*)\n((?:(?!```).*\n)*)^```$'
    for found in re.finditer(pattern, text, re.MULTILINE):
        line = text.count('\n', 0, found.start(3)) + 1
        mark = textwrap.dedent(found[1] or '').strip()
        yield Block(document, line, found[2].strip(), mark, found[3])


def pages():
    return [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('**/*.md'))]


def all_blocks():
    return [block for path in pages() for block in blocks(path)]


def missing_from_file(block):
    """Why the block is not what the file holds, or nothing."""
    name, _, prints = block.mark.partition(' ')
    path = ROOT / name
    if not path.exists():
        return f'{block.place}: there is no {name}'
    source = path.read_text()
    if prints:
        wanted = re.sub(r'\b\d+\b', '<n>', block.text).splitlines()
        kept = [re.sub(r'\b\d+\b', '<n>', line) for line in promise(source)[0] or []]
        if wanted != kept:
            return f'{block.place}: {name} does not promise this output, but\n' + '\n'.join(kept)
    elif '\n' + textwrap.dedent(block.text) not in '\n' + textwrap.dedent(source):
        # A part of a function stands further in than a block that shows it alone.
        wanted = [line.strip() for line in block.text.splitlines()]
        lines = [line.strip() for line in source.splitlines()]
        if not any(lines[n:n + len(wanted)] == wanted for n in range(len(lines))):
            return f'{block.place}: these are not consecutive lines of {name}'
    return ''


def sentences(source):
    """What the tests of a file promise: the texts of TEST_CASE, TEST_WITHIN and the like."""
    literals = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    for found in re.findall(r'\b[A-Z][A-Z_]+\(\s*(?:[\w:]+,\s*)?' + literals, source):
        yield ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', found)).replace('\\"', '"')
    yield from re.findall(r'\A// refused: (.*)', source)


def not_held(document):
    """The promises of a page that name a test which is not there, or none."""
    text = document.read_text()
    named = r'`(tests/[\w./]+)`:\s+"([^"]+)"'
    for found in re.finditer(named, text):
        place = f'{document.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}'
        path, sentence = ROOT / found[1], re.sub(r'\s+', ' ', found[2])
        if not path.exists():
            yield f'{place}: there is no {found[1]}'
        elif sentence not in sentences(path.read_text()):
            yield f'{place}: {found[1]} has no test "{sentence}"'
    if document.name == 'guarantees.md':
        for item in re.findall(r'^- (?:.*\n)(?:  .*\n)*', text, re.MULTILINE):
            if not re.search(named, item):
                yield f'docs/guarantees.md: no test is named for: {item.splitlines()[0]}'


def dead_links(document):
    """The files beside a page that it leads to and that are not there."""
    for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', document.read_text()):
        if not (document.parent / target).exists():
            yield f'{document.relative_to(ROOT)}: there is no {target}'


def left_open(block):
    """Why a block of README.md is not whole, or nothing."""
    if block.document.name != 'README.md' or not block.language.startswith('cpp'):
        return ''
    if any(block.text.count(one) != block.text.count(other) for one, other in ('{}', '()')):
        return f'{block.place}: a brace is left open'
    return f'{block.place}: begins within a function' if block.text.startswith(' ') else ''


def translation_unit(some):
    """One source with all these blocks; a compiler's complaint names the line of the document."""
    hoisted = [f'#line {block.line + n} "{block.document}"\n{line}\n' for block in some
               for n, line in enumerate(block.text.splitlines()) if line.startswith('#include')]
    parts = []
    for block in some:
        code = re.sub(r'^#include.*$', '', block.text, flags=re.MULTILINE)
        given = block.mark.removeprefix('given:') if block.mark.startswith('given:') else ''
        given = f'#line 1 "given before {block.place}"\n{given}\n' if given else ''
        body = f'{given}#line {block.line} "{block.document}"\n{code}'
        if 'statements' in block.language:
            body = f'[[maybe_unused]] brood::task<> snippet(brood::process& self)\n{{\n' \
                   f'(void)self;\n{body}\nco_return;\n}}\n'
        parts.append(f'namespace block_{block.line}\n{{\n{body}\n}}\n')
    return PREAMBLE + ''.join(hoisted + parts)


def complaints(compiler, some):
    """What is wrong with the code of one document."""
    plain = [block for block in some if block.is_code and not block.refusal]
    said = []
    if plain:
        name = 'documents/' + plain[0].document.stem + '.cpp'
        said.append(compiler.object(name, translation_unit(plain))[1])
    for block in some:
        if block.refusal:
            only_old, sentence = block.refusal
            source = compiler.build / f'tests/structure.p/documents/refused_{block.line}.cpp'
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(translation_unit([block]))
            error = compiler.first_error(source)
            if only_old and not compiler.is_old_gcc():
                if error:
                    said.append(f'{block.place}: should compile here: {error}')
            elif sentence not in error or not error:
                said.append(f'{block.place}: the first error is not "{sentence}" but "{error}"')
    return [text for text in said if text]


def main():
    found = all_blocks()
    wrong = [text for block in found if block.is_file and (text := missing_from_file(block))]
    wrong += [text for block in found if (text := left_open(block))]
    for page in pages():
        wrong += [*not_held(page), *dead_links(page)]
    if pages_asked := sys.argv[2:]:
        found = [block for block in found if block.document.name in pages_asked]
    if len(sys.argv) > 1:
        from compiler import Compiler
        compiler = Compiler(sys.argv[1])
        if not compiler.has_http():
            print('left out, because there is no Boost: docs/http.md')
            found = [block for block in found if block.document.name != 'http.md']
        for document in dict.fromkeys(block.document for block in found):
            wrong += complaints(compiler, [b for b in found if b.document == document])
    checked = sum(block.is_file or block.is_code for block in found)
    print(f'{checked} blocks of code')
    sys.exit('\n'.join(wrong) or None)


if __name__ == '__main__':
    main()
