#!/usr/bin/env python3
"""Builds and runs the programs in tests/consumer as users of brood would, with the library and
header-only, and with all warnings on:

  subproject     of meson
  installed      by this build (meson): the CMake package and pkg-config
  cmake          built and installed by CMake alone: the same
  subdirectory   add_subdirectory of CMake
  fetched        FetchContent of CMake, from a clone
  copied         only the headers and a compiler

Header-only, all of brood is compiled by the last of them alone: of the other ways a file with a few
headers tells whether they say what such a program needs.

usage: consumer.py BUILD_DIRECTORY WAY
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from compiler import ROOT, Compiler

CONSUMER = ROOT / 'tests/consumer'
WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror']
CLANG = ['-DASIO_HAS_CO_AWAIT=1', '-DASIO_HAS_STD_COROUTINE=1']
# As a user has them, who knows nothing of the build that runs this.
for name in ('CXXFLAGS', 'LDFLAGS', 'MESON_TEST_ITERATION'):
    os.environ.pop(name, None)
# The folder has another name each time; a compiler cache sees how the files lie to each other.
os.environ.update(CCACHE_BASEDIR='/', CCACHE_NOHASHDIR='1')


class Consumer:
    def __init__(self, build, folder):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        self.compiler = Compiler(build)
        self.parts = [part for part, has in (('http', self.compiler.has_http()),
                                             ('remote', self.compiler.has_remote())) if has]
        os.environ['CXX'] = ' '.join(self.compiler.command())
        if not self.compiler.is_clang():  # g++ collects garbage a tenth of its time
            os.environ['CXXFLAGS'] = '--param=ggc-min-heapsize=2000000'

    def run(self, *command, fails=False, **options):
        """What the command printed; ends the test when it fails, or should and does not."""
        done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **options)
        if bool(done.returncode) != fails:
            sys.exit(f'{" ".join(map(str, command))}\nends with {done.returncode}\n{done.stdout}')
        return done.stdout

    def names(self):
        """The programs that a build gives."""
        return [f'consumer{part}{kind}' for part in ['', *(f'_{part}' for part in self.parts)]
                for kind in ('', '_header_only')]

    def cmake(self, folder, source, *options):
        *launcher, compiler = self.compiler.command()
        self.run('cmake', '-G', 'Ninja', '-S', source, '-B', folder, '-DCMAKE_BUILD_TYPE=None',
                 f'-DCMAKE_CXX_COMPILER={compiler}', f'-DPARTS={";".join(self.parts)}',
                 *(f'-DCMAKE_CXX_COMPILER_LAUNCHER={word}' for word in launcher), *options)
        return folder

    def programs(self, folder):
        self.run('ninja', '-C', folder, *self.names())
        return [folder / name for name in self.names()]

    def compiled(self, target, sources, *flags):
        """Compiles a program by hand; a source behind ccache is one object."""
        objects = [self.folder / f'{target}_{pathlib.Path(source).stem}.o' for source in sources]
        compiler = self.compiler.command()
        compile_only = [flag for flag in flags if not flag.startswith(('-l', '-L'))]
        for source, compiled in zip(sources, objects):
            self.run(*compiler, '-std=c++20', *WARNINGS, *compile_only, '-c', source,
                     '-o', compiled, cwd=CONSUMER)
        self.run(*compiler, *objects, *flags, '-o', self.folder / target)
        return self.folder / target

    def subproject(self):
        shutil.copytree(CONSUMER, self.folder / 'project')
        (self.folder / 'project/subprojects').mkdir()
        (self.folder / 'project/subprojects/brood').symlink_to(ROOT)
        self.run('meson', 'setup', self.folder / 'build', self.folder / 'project',
                 '--unity=subprojects', '-Ddebug=false')
        return self.programs(self.folder / 'build')

    def installed(self):
        self.run('meson', 'install', '-C', self.build, '--no-rebuild', '--destdir', self.folder)
        return self.from_prefix(next(self.folder.rglob('include/brood')).parents[1])

    def cmake_alone(self):
        prefix = self.folder / 'prefix'
        build = self.cmake(self.folder / 'brood', ROOT, f'-DCMAKE_INSTALL_PREFIX={prefix}',
                           '-DCMAKE_UNITY_BUILD=ON', '-DBROOD_HTTP=OFF', '-DBROOD_REMOTE=OFF')
        self.run('ninja', '-C', build, 'install')
        self.parts = []
        programs = self.from_prefix(prefix)
        # What was left out says so.
        for part, missing in (('http', 'the headers of Boost'), ('remote', 'OpenSSL')):
            said = self.run('cmake', '-S', CONSUMER, '-B', self.folder / 'refused',
                            '-DWAY=installed', f'-DPARTS={part}',
                            f'-DCMAKE_PREFIX_PATH={prefix}', fails=True)
            if f'brood::{part} was left out: it needs {missing}' not in said:
                sys.exit(f'the missing brood::{part} is explained by\n{said}')
        return programs

    def from_prefix(self, prefix):
        """The programs by what is installed there, through CMake and through pkg-config."""
        for kind in ('hpp', 'ipp'):
            left = {path.relative_to(prefix / 'include')
                    for path in (prefix / 'include').rglob(f'*.{kind}')}
            ours = {path.relative_to(ROOT / 'include')
                    for path in (ROOT / 'include').rglob(f'*.{kind}')}
            if left != ours:
                sys.exit(f'installed headers differ: {sorted(map(str, left ^ ours))}')
        build = self.cmake(self.folder / 'build', CONSUMER, '-DWAY=installed',
                           f'-DCMAKE_PREFIX_PATH={prefix}')
        return self.programs(build) + self.with_pkg_config(prefix)

    def with_pkg_config(self, prefix):
        paths = {**os.environ, 'PKG_CONFIG_PATH':
                 str(next(prefix.rglob('pkgconfig/brood.pc')).parent)}
        programs = []
        for target in self.names():
            library = target.replace('consumer', 'brood').replace('_', '-')
            part = next((part for part in self.parts if part in target), None)
            flags = self.run('pkg-config', f'--define-variable=prefix={prefix}', '--cflags',
                             '--libs', library, env=paths).split()
            sources = [f'{part}.cpp'] if part else ['main.cpp', 'version.cpp']
            if 'header_only' in target:
                sources = ['headers.cpp']
                flags += [f'-DWITH_{part.upper()}'] if part else []
            programs.append(self.compiled('pkg_config_' + target, sources, *flags))
        version = self.run('pkg-config', '--modversion', 'brood', env=paths)
        if version != self.run(programs[0]):
            sys.exit('pkg-config and the headers say different versions')
        return programs

    def subdirectory(self):
        build = self.cmake(self.folder / 'build', CONSUMER, '-DWAY=subdirectory',
                           f'-DBROOD={ROOT}')
        return self.programs(build)

    def fetched(self):
        listed = self.run('git', 'ls-files', '-co', '--exclude-standard', cwd=ROOT).splitlines()
        for name in listed:
            if (ROOT / name).exists():
                target = self.folder / 'clone' / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        for words in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'As it is now']):
            self.run('git', '-C', self.folder / 'clone', '-c', 'user.name=consumer',
                     '-c', 'user.email=consumer', *words)
        self.parts = []
        build = self.cmake(self.folder / 'build', CONSUMER, '-DWAY=fetched',
                           f'-DBROOD={self.folder / "clone"}')
        return self.programs(build)

    def copied(self):
        shutil.copytree(ROOT / 'include', self.folder / 'include')
        bodies = self.folder / 'bodies.cpp'
        bodies.write_text('#include <brood/impl/src.hpp>\n')
        flags = [f'-I{self.folder}/include', '-pthread', *CLANG]
        once = [*flags, '-DBROOD_SEPARATE_COMPILATION']
        return [self.compiled('header_only', ['main.cpp', 'version.cpp'], *flags),
                self.compiled('once', ['main.cpp', 'version.cpp', bodies], *once)]


def main():
    build, way = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        consumer = Consumer(build, folder)
        programs = {'subproject': consumer.subproject, 'installed': consumer.installed,
                    'cmake': consumer.cmake_alone, 'subdirectory': consumer.subdirectory,
                    'fetched': consumer.fetched, 'copied': consumer.copied}[way]()
        project = consumer.run('meson', 'introspect', '--projectinfo', build)
        for program in programs:
            said = consumer.run(program).strip()
            if f'"version": "{said}"' not in project:
                sys.exit(f'{program.name} says {said}, the build says {project}')
    print(f'{len(programs)} passed, 0 failed')


if __name__ == '__main__':
    main()
