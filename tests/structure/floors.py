#!/usr/bin/env python3
"""Folder = floor: a header includes only its own floor and lower ones, and doors include all of
their folder. Faces (what users include) stand apart from mechanism: they bring in no detail/, no
Boost, and of Asio only its coroutine and its executor; their bodies are in impl/*.ipp.

usage: floors.py [INCLUDE_FOLDER]
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# The lowest first.
FLOORS = ['base', 'os codec', 'wire', 'process', 'cluster', 'pool', 'http metrics remote node']
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names.split()}

# Facts about the machine are for users; a cluster takes its size from them, and whether the kernel
# killed a worker for want of memory.
ONLY_FOR = {'os': r'cluster/(impl/settings\.ipp|detail/core/oom_detector\.hpp)'}
# Who may include what does not come from brood: everybody else asks for it by our own name.
# A message of brood's own needs cereal's part for its members, as a user's message does.
OUTSIDE = {'asio': r'impl/\w+\.hpp|base/(detail/)?asio\w*\.hpp|process/listener\.hpp|http/.*',
           'asio.hpp': 'nobody',
           'boost': r'http/detail/parser\.hpp',
           'cereal': r'codec/.*|wire/(detail|internal|impl)/.*', 'iostream': 'nobody'}
# What the core in one include leaves out.
OPTIONAL = r'codec/json\.hpp|impl/.*|.*/(detail|internal)/.*|os/.*|' \
    r'wire/frame_reader\.hpp|process/pipe_stream\.hpp|(http|metrics|pool|remote|node)/.*'
# These faces name sockets of Asio.
NAME_SOCKETS = r'wire/attachment\.hpp|process/listener\.hpp|http/stream_socket\.hpp'

BODIES = re.compile(r'#if !defined\(BROOD_SEPARATE_COMPILATION\)\n((?:#include <brood/.*>\n)+)'
                    r'#endif(?: //.*)?\n\Z')


def included(text):
    return re.findall(r'^#include [<"]([\w./]+)[>"]', text, re.MULTILINE)


def includes(header):
    """What a header includes, its bodies apart."""
    return included(BODIES.sub('', header.read_text()))


def bodies(header):
    """The files with bodies that the last lines of a header include."""
    found = BODIES.search(header.read_text())
    return included(found[1]) if found else []


def sources(root):
    """The headers and the files with bodies by their names, without the doors."""
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob('*/*.?pp'))}


def is_face(name):
    return re.fullmatch(r'\w+/\w+\.hpp', name) and not name.startswith('impl/')


def wrong_floors(root):
    for name, header in sources(root).items():
        here = name.split('/')[0]
        for target in includes(header):
            first, _, rest = target.partition('/')
            if first == 'brood' and '/' in rest:
                there = rest.split('/')[0]
                if 'impl' not in (here, there) and here != there and \
                        not re.fullmatch(ONLY_FOR.get(there, 'nobody'), name) and (
                        FLOOR[there] >= FLOOR[here] or there in ONLY_FOR):
                    yield f'{name}: {here} may not include {there}: {target}'
                if '/detail/' in rest and here not in (there, 'impl') and there != 'base':
                    yield f'{name}: the mechanism of another floor is not ours: {target}'
                if target.endswith('.ipp') and name != 'impl/src.hpp':
                    yield f'{name}: bodies stand on the last lines, for header-only: {target}'
            elif first == 'brood' and rest != 'version.hpp' and rest.split('/')[0] != 'impl':
                yield f'{name}: a door is for users: {target}'
            elif first in OUTSIDE and not re.fullmatch(OUTSIDE[first], name):
                yield f'{name}: may not include {target}'


def mechanism(name, target):
    """What a face may not bring in, nor what it includes: where the machinery begins."""
    inside = target.removeprefix('brood/')
    if re.fullmatch(NAME_SOCKETS, name) and (
            target.startswith('asio/') or inside == 'base/detail/asio_net.hpp'):
        return False
    if name == 'process/pipe_stream.hpp':  # operations of Asio's, which are templates
        return False
    if name.startswith('codec/'):  # templates, all of it
        return inside.startswith(('base/detail/', 'asio/', 'boost/'))
    return '/detail/' in inside and inside != target or \
        target.startswith('boost/') or target.startswith('asio/') and name != 'base/asio.hpp'


def wrong_faces(root):
    for face in filter(is_face, sources(root)):
        seen, new = set(), [face]
        while new:
            name = new.pop()
            seen.add(name)
            for target in includes(root / name):
                inside = target.removeprefix('brood/')
                if mechanism(name, target):
                    way = '' if name == face else f', through {name}'
                    yield f'{face}: a face brings no mechanism in: {target}{way}'
                # Another face speaks for itself.
                elif inside != target and inside not in seen and not is_face(inside) and \
                        not inside.startswith('impl/') and '/detail/' not in inside:
                    new.append(inside)


def wrong_beginnings(root):
    """What the compiler must offer is said before anything else fails: a face includes
    impl/config.hpp first, or another face."""
    for name, path in sources(root).items():
        first = (includes(path) or [''])[0].removeprefix('brood/')
        if is_face(name) and first != 'impl/config.hpp' and not is_face(first):
            yield f'{name}: does not include brood/impl/config.hpp first'


def wrong_bodies(root):
    """Each file with bodies belongs to a header, and is compiled once."""
    headers = {name: path for name, path in sources(root).items() if name.endswith('.hpp')}
    belongs = {body: name for name, path in headers.items() for body in bodies(path)}
    compiled = {path: included(path.read_text()) for path in sorted((ROOT / 'src').glob('*.cpp'))}
    everything = included((root / 'impl/src.hpp').read_text())
    for name, path in sources(root).items():
        if not name.endswith('.ipp'):
            continue
        body = f'brood/{name}'
        owner = belongs.get(body, '')
        if name.split('/')[0] not in ('impl', owner.split('/')[0]):
            yield f'{name}: is not on the last lines of a header of its floor'
        if everything.count(body) != 1:
            yield f'{name}: is not once in impl/src.hpp'
        if sum(each.count(body) for each in compiled.values()) != 1:
            yield f'{name}: is not in one file of src/'
    build = (ROOT / 'meson.build').read_text()
    for path in compiled:
        if f"'src/{path.name}'" not in build:
            yield f'src/{path.name}: is not in meson.build'
def wrong_order(root):
    """Header-only, bodies come with the first header that brings them: all that they need has to
    be read by then, whichever header a program includes first."""
    ours = {name: (includes(path), bodies(path)) for name, path in sources(root).items()}

    def read(name, state):
        state[name] = 'open'
        declared, defined = ours.get(name, ([], []))
        for target in declared:
            yield from enter(name, target, state)
        state[name] = 'declared'
        for target in defined:
            if target.removeprefix('brood/') not in state:
                yield from enter(name, target, state)

    def enter(name, target, state):
        inside = target.removeprefix('brood/')
        if inside == target:
            return
        if state.get(inside) == 'open':
            yield f'{name}: needs {inside}, which is not yet read in a program that begins with'
        elif inside not in state:
            yield from read(inside, state)

    return sorted({f'{wrong}: {name}' for name in filter(is_face, ours)
                   for wrong in read(name, {})})


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
                if re.match(r'codec/json\.hpp|(http|metrics|pool|remote|node)/', name):
                    yield f'{door}: includes {name}, which is optional'


if __name__ == '__main__':
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / '../../include/brood'
    root = root.resolve()
    wrong = [*wrong_floors(root), *wrong_doors(root), *wrong_faces(root),
             *wrong_beginnings(root), *wrong_bodies(root), *wrong_order(root)]
    sys.exit('\n'.join(wrong) or None)
