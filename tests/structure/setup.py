#!/usr/bin/env python3
"""tools/setup installs what is missing by apt, with sudo when not root, and where that cannot be,
says which packages are needed."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = f'. {ROOT}/tools/setup; need no-such-tool=a-tool sh=a-shell no/such.hpp=a-library'
# What the script itself uses, apart from the programs that a case is about.
USED = ['env', 'sh', 'c++']


def case(programs, user):
    """The exit code and what was said with only these programs, as this user."""
    with tempfile.TemporaryDirectory() as folder:
        for name in USED:
            found = subprocess.run(['sh', '-c', f'command -v {name}'], text=True, check=True,
                                   stdout=subprocess.PIPE).stdout.strip()
            pathlib.Path(folder, name).symlink_to(found)
        scripts = {'id': f'echo {user}', **programs}
        for name, body in scripts.items():
            script = pathlib.Path(folder, name)
            script.write_text(f'#!/bin/sh\n{body}\n')
            script.chmod(0o755)
        done = subprocess.run(['/bin/sh', '-euc', SCRIPT], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={'PATH': folder})
        return done.returncode, done.stdout


def complaints():
    apt = 'echo "apt-get $*" >&2'
    sudo = 'echo sudo >&2; exec "$@"'
    for what, programs, user, code, wanted in [
            ('without apt', {}, 0, 1, ['these Debian packages hold', ': a-tool a-library']),
            ('not root, without sudo', {'apt-get': apt}, 1000, 1,
             ['please run as root: apt-get install a-tool a-library']),
            ('root', {'apt-get': apt}, 0, 0,
             ['installing a-tool a-library', 'apt-get -q update', 'a-tool a-library\n']),
            ('not root, with sudo', {'apt-get': apt, 'sudo': sudo}, 1000, 0,
             ['sudo\n', 'apt-get -qq install', 'a-tool a-library\n'])]:
        got, said = case(programs, user)
        if got != code:
            yield f'{what}: ends with {got}, not {code}: {said}'
        for text in wanted:
            if text not in said:
                yield f'{what}: does not say {text!r}, but: {said}'
        if 'a-shell' in said or (user == 0 and 'sudo' in said):
            yield f'{what}: asks for too much: {said}'


if __name__ == '__main__':
    sys.exit('\n'.join(complaints()) or None)
