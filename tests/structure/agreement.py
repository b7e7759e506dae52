#!/usr/bin/env python3
"""Files of one program that disagree (header-only or compiled, the version of brood or of Asio) do
not link, and the linker names a symbol that says why; those that agree do.

usage: agreement.py BUILD_DIRECTORY
"""

import itertools
import pathlib
import re
import shutil
import sys
import tempfile

from compiler import ROOT, Compiler, report

# What a file agrees to: its flags, and words of the symbol that is missed.
WAYS = {'header-only': [], 'compiled': ['-DBROOD_SEPARATE_COMPILATION']}
HEADER_ONLY = r'brood_\d+_with_asio_\d+_header_only_as_all_files_of_a_program_must_be'
COMPILED = r'brood_\d+_with_asio_\d+_compiled_as_all_files_of_a_program_must_be'
BODIES = r'brood_\d+_with_asio_\d+_compiled_where_one_file_includes_brood_impl_src_hpp'
OTHER_BROOD = HEADER_ONLY.replace(r'\d+', '99', 1)
OTHER_ASIO = HEADER_ONLY.replace(r'asio_\d+', 'asio_102299')
# Files in the order of the command line, and what must be missed; nothing when they agree.
PROGRAMS = [
    (['header-only', 'header-only'], None),
    (['compiled', 'compiled', 'bodies'], None),
    (['compiled', 'compiled'], BODIES),
    (['header-only', 'compiled', 'bodies'], f'{HEADER_ONLY}|{COMPILED}'),
    (['compiled', 'bodies', 'header-only'], f'{HEADER_ONLY}|{COMPILED}'),
    (['header-only', 'other brood'], f'{HEADER_ONLY}|{OTHER_BROOD}'),
    (['other asio', 'header-only'], f'{HEADER_ONLY}|{OTHER_ASIO}'),
    (['compiled', 'other compiled brood', 'bodies'], f'{COMPILED}|{BODIES}'),
]


class Programs:
    def __init__(self, compiler, folder, flags):
        self.compiler, self.folder, self.flags = compiler, folder, flags
        self.compile_flags = [flag for flag in flags if not flag.startswith('-fuse-ld')]

    def prepare(self):
        """Headers of another brood and of another Asio, and an object for each kind of file."""
        other = self.folder / 'brood/brood'
        shutil.copytree(ROOT / 'include/brood/impl', other / 'impl', dirs_exist_ok=True)
        version = (ROOT / 'include/brood/version.hpp').read_text()
        (other / 'version.hpp').write_text(re.sub('(BROOD_VERSION) .*', r'\1 99', version, 1))
        asio = self.folder / 'asio/asio'
        asio.mkdir(parents=True, exist_ok=True)
        (asio / 'version.hpp').write_text('#define ASIO_VERSION 102299\n')
        (self.folder / 'main.cpp').write_text('int main() {}\n')
        for name, way, text in [
                ('header-only', 'header-only', ''), ('compiled', 'compiled', ''),
                ('bodies', 'compiled', '#include <brood/impl/agreement.ipp>\n'),
                ('other brood', 'header-only', ''), ('other asio', 'header-only', ''),
                ('other compiled brood', 'compiled', '')]:
            flags = [f'-I{self.folder / word}' for word in name.split()]
            for number in (1, 2):
                source = self.folder / f'{name} {number}.cpp'
                source.write_text(f'#include <brood/impl/config.hpp>\n{text}'
                                  f'int of_{name.replace(" ", "_").replace("-", "_")}_{number};\n')
                said = self.compiler.run('-UBROOD_SEPARATE_COMPILATION', *WAYS[way], '-fPIC',
                                         *self.compile_flags, '-c', source, '-o',
                                         source.with_suffix('.o'), first=flags)
                if said.returncode:
                    sys.exit(said.stdout)

    def complaint(self, files, missed):
        """Links the files, each of its kind, to a program and to a shared library."""
        objects = [self.folder / f'{kind} {files[:place].count(kind) + 1}.o'
                   for place, kind in enumerate(files)]
        for kind in ([self.folder / 'main.cpp'], ['-shared', '-Wl,-z,defs', '-Wl,--gc-sections']):
            said = self.compiler.run('-fPIC', *self.flags, *kind, *objects, '-o', '/dev/null')
            if missed is None and said.returncode:
                return said.stdout
            if missed and not said.returncode:
                return 'is linked'
            if missed and not re.search(missed, said.stdout):
                return f'does not name {missed}, but says:\n{said.stdout}'
        return ''


def main():
    compiler = Compiler(sys.argv[1])
    linkers = [f'-fuse-ld={name}' for name in ('bfd', 'gold', 'lld') if shutil.which(f'ld.{name}')]
    ways = [[], ['-O2', '-ffunction-sections', '-fdata-sections'], *([name] for name in linkers)]
    # For what is optimised at link time, not every lld is of this compiler.
    ways += [['-flto', name] for name in linkers if not name.endswith('lld')]
    with tempfile.TemporaryDirectory() as folder:
        sets = {}
        for number, flags in enumerate(ways):
            sets[' '.join(flags)] = Programs(compiler, pathlib.Path(folder, str(number)), flags)
            sets[' '.join(flags)].folder.mkdir()
            sets[' '.join(flags)].prepare()
        cases = list(itertools.product(sets, PROGRAMS))
        sys.exit(not report(lambda case: sets[case[0]].complaint(*case[1]), cases))


if __name__ == '__main__':
    main()
