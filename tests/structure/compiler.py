"""The compiler and flags of a build directory, as its tests are compiled."""

import concurrent.futures
import functools
import json
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Compiler:
    """Compiles further files as tests/support/main.cpp of this build directory is compiled."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        commands = json.loads((self.build / 'compile_commands.json').read_text())
        model = next(c for c in commands if c['file'].endswith('tests/support/main.cpp'))
        words = shlex.split(model['command'])
        self.flags = []
        while words:
            word = words.pop(0)
            if word in ('-o', '-MF', '-MQ'):
                words.pop(0)
            elif word not in ('-c', '-MD') and not word.endswith('main.cpp'):
                self.flags.append(word)
        # Colours confuse the search for errors; what is only compiled has nothing to sanitize.
        self.flags = [flag for flag in self.flags
                      if not re.match('-fdiagnostics-color|-fsanitize|-fno-omit', flag)]

    def run(self, *arguments, first=()):
        """The finished process; its output holds what the compiler said.

        What comes first stands before the flags of the build.
        """
        place = len(self.command())
        words = [*self.flags[:place], *first, *self.flags[place:], *arguments]
        return subprocess.run([str(word) for word in words], cwd=self.build, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def command(self):
        """The words before the first flag: perhaps a compiler cache, then the compiler."""
        return self.flags[:next(n for n, word in enumerate(self.flags) if word.startswith('-'))]

    def has_http(self):
        """Whether <brood/http.hpp> can be included, which needs Boost."""
        return self.run('-E', '-include', 'boost/beast/http/basic_parser.hpp', '-x', 'c++',
                        '/dev/null').returncode == 0

    def has_remote(self):
        """Whether a program with <brood/remote.hpp> can be linked, which needs OpenSSL."""
        return self.run('-E', '-include', 'openssl/evp.h', '-x', 'c++', '/dev/null').returncode == 0

    def is_old_gcc(self):
        """Whether this is g++ before 13, which destroys some temporaries twice."""
        return not self.is_clang() and int(re.search(r'__GNUC__ (\d+)', self.macros())[1]) < 13

    def is_clang(self):
        return '__clang__' in self.macros()

    @functools.cache
    def macros(self):
        return self.run('-dM', '-E', '-x', 'c++', '/dev/null').stdout

    def first_error(self, source, *flags):
        """The first error of a file, without its place; empty when it compiles or only warns."""
        said = self.run('-Wno-error', *flags, '-fsyntax-only', source)
        found = re.search(r'error: (.*)', said.stdout)
        return found[1] if found else said.stdout if said.returncode else ''

    def object(self, source, text, *flags):
        """Writes a source into the build directory and compiles it: (object, complaints)."""
        path = self.build / 'tests/structure.p' / source
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        target = path.with_suffix('.o')
        said = self.run(*flags, '-c', path, '-o', target)
        return target, said.stdout if said.returncode else ''


def report(work, items, workers=2):
    """Does the work on each item and prints what is wrong with it; ends with the plain counts.

    The work gives complaints, or nothing. True when there were none.
    """
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for item, complaints in zip(items, pool.map(work, items)):
            if complaints:
                failed += 1
                print(f'{item}: {complaints}', flush=True)
    print(f'{len(items) - failed} passed, {failed} failed')
    return failed == 0
