#!/usr/bin/env python3
"""Builds and runs the program in tests/consumer as a user of brood would: as a meson subproject,
and with what `meson install` left, through pkg-config and through CMake.

usage: consumer.py BUILD_DIRECTORY subproject|pkg-config|cmake
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from compiler import ROOT, Compiler

CONSUMER = ROOT / 'tests/consumer'
SOURCES = ['main.cpp', 'version.cpp']


def run(*command, **options):
    """What the command printed; ends the test when it fails."""
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        sys.exit(f'{" ".join(map(str, command))}\n{done.stdout}')
    return done.stdout


def install(folder):
    """Installs brood under the folder and gives where the .pc file and the CMake package are."""
    prefix = folder / 'prefix'
    run('meson', 'setup', folder / 'brood', ROOT, f'--prefix={prefix}')
    run('meson', 'install', '-C', folder / 'brood')
    left = {path.relative_to(prefix / 'include') for path in (prefix / 'include').rglob('*.hpp')}
    ours = {path.relative_to(ROOT / 'include') for path in (ROOT / 'include').rglob('*.hpp')}
    if left != ours:
        sys.exit(f'installed headers differ: {sorted(map(str, left ^ ours))}')
    return prefix


def subproject(folder, _):
    shutil.copytree(CONSUMER, folder / 'project')
    (folder / 'project/subprojects').mkdir()
    (folder / 'project/subprojects/brood').symlink_to(ROOT)
    run('meson', 'setup', folder / 'build', folder / 'project')
    run('ninja', '-C', folder / 'build')
    return folder / 'build/consumer'


def pkg_config(folder, compiler):
    prefix = install(folder)
    paths = {**os.environ, 'PKG_CONFIG_PATH': str(prefix / 'share/pkgconfig')}
    flags = run('pkg-config', '--cflags', '--libs', 'brood', env=paths).split()
    run(*compiler, '-std=c++20', *SOURCES, *flags, '-o', folder / 'consumer', cwd=CONSUMER)
    if run('pkg-config', '--modversion', 'brood', env=paths) != run(folder / 'consumer'):
        sys.exit('pkg-config and the headers say different versions')
    return folder / 'consumer'


def cmake(folder, compiler):
    prefix = install(folder)
    run('cmake', '-G', 'Ninja', '-S', CONSUMER, '-B', folder / 'build',
        f'-DCMAKE_PREFIX_PATH={prefix}',
        f'-DCMAKE_CXX_COMPILER={compiler[-1]}')
    run('cmake', '--build', folder / 'build')
    return folder / 'build/consumer'


def main():
    build, way = sys.argv[1:]
    compiler = Compiler(build).command()
    os.environ['CXX'] = ' '.join(compiler)
    with tempfile.TemporaryDirectory() as folder:
        program = {'subproject': subproject, 'pkg-config': pkg_config, 'cmake': cmake}[way](
            pathlib.Path(folder), compiler)
        said = run(program)
    version = run('meson', 'introspect', '--projectinfo', build)
    if f'"version": "{said.strip()}"' not in version:
        sys.exit(f'the headers say version {said.strip()}, the build says {version}')


if __name__ == '__main__':
    main()
