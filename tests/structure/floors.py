#!/usr/bin/env python3
"""Folder = floor: a header includes only its own floor and lower ones, and doors include all of
their folder.

usage: floors.py [INCLUDE_FOLDER]
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
# The lowest first.
FLOORS = ['base', 'os codec', 'wire', 'process', 'cluster', 'http metrics remote node']
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names.split()}

# Facts about the machine are for users; a cluster takes its size from them, and whether the kernel
# killed a worker for want of memory.
ONLY_FOR = {'os': ['cluster/settings.hpp', 'cluster/detail/core/oom_detector.hpp']}
# Who may include what does not come from brood: everybody else asks for it by our own name.
# A message of brood's own needs cereal's part for its members, as a user's message does.
OUTSIDE = {'asio': r'impl/\w+\.hpp|base/(detail/)?asio\w*\.hpp|http/.*', 'asio.hpp': 'nobody',
           'boost': r'http/parser\.hpp',
           'cereal': r'codec/.*|wire/detail/.*', 'iostream': 'nobody'}
# What the core in one include leaves out.
OPTIONAL = r'codec/json\.hpp|impl/.*|.*/(detail|internal)/.*|os/.*|(http|metrics|remote|node)/.*'


def includes(header):
    return re.findall(r'^#include [<"]([\w./]+)[>"]', header.read_text(), re.MULTILINE)


def wrong_floors(root):
    for header in sorted(root.rglob('*/*.hpp')):
        name = header.relative_to(root).as_posix()
        here = name.split('/')[0]
        for target in includes(header):
            first, _, rest = target.partition('/')
            if first == 'brood' and '/' in rest:
                there = rest.split('/')[0]
                if 'impl' not in (here, there) and here != there and \
                        name not in ONLY_FOR.get(there, []) and (
                        FLOOR[there] >= FLOOR[here] or there in ONLY_FOR):
                    yield f'{name}: {here} may not include {there}: {target}'
                if '/detail/' in rest and here not in (there, 'impl') and there != 'base':
                    yield f'{name}: the mechanism of another floor is not ours: {target}'
            elif first == 'brood' and rest != 'version.hpp' and rest.split('/')[0] != 'impl':
                yield f'{name}: a door is for users: {target}'
            elif first in OUTSIDE and not re.fullmatch(OUTSIDE[first], name):
                yield f'{name}: may not include {target}'


def reached(root, door):
    """All headers of brood that this one brings in."""
    seen, new = set(), [door]
    while new:
        name = new.pop()
        if name not in seen and (root / name).exists():
            seen.add(name)
            new += [target.removeprefix('brood/') for target in includes(root / name)
                    if target.startswith('brood/')]
    return seen


def wrong_doors(root):
    headers = {path.relative_to(root).as_posix() for path in root.rglob('*.hpp')}
    for door in sorted(name for name in headers if '/' not in name):
        folder = door.removesuffix('.hpp')
        if folder == 'brood':
            wanted = {name for name in headers if '/' in name and not re.fullmatch(OPTIONAL, name)}
        elif (root / folder).is_dir():
            wanted = {name for name in headers
                      if name.startswith(folder + '/') and '/detail/' not in name}
        else:
            continue
        for name in sorted(wanted - reached(root, door)):
            yield f'{door}: does not include {name}'
        if folder == 'brood':
            for name in sorted(reached(root, door)):
                if re.match(r'codec/json\.hpp|(http|metrics|remote|node)/', name):
                    yield f'{door}: includes {name}, which is optional'


if __name__ == '__main__':
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / '../../include/brood'
    wrong = [*wrong_floors(root.resolve()), *wrong_doors(root.resolve())]
    sys.exit('\n'.join(wrong) or None)
