"""What including brood costs: seconds of the processor and memory of the compiler, as ratios to the
floor, which is what any framework of this kind has to include."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FLOOR = ['asio/awaitable.hpp', 'asio/any_io_executor.hpp', 'asio/use_awaitable.hpp',
         'asio/this_coro.hpp', 'cereal/cereal.hpp', 'cereal/types/string.hpp',
         'cereal/types/vector.hpp', 'array', 'chrono', 'functional', 'map', 'memory', 'optional',
         'span', 'string', 'string_view', 'system_error', 'tuple', 'utility', 'variant', 'vector']
ONCE = ['-DBROOD_SEPARATE_COMPILATION']
# What is compiled, with which flags, and the most it may take of the floor at -O0 and at -O2.
SOURCES = {
    'the floor': (FLOOR, [], (1, 1)),
    'all of Asio, and the rest of the floor': (['asio.hpp', *FLOOR], [], None),
    '`<brood/brood.hpp>`': (['brood/brood.hpp'], ONCE, (1.8, 1.8)),
    '`<brood/http.hpp>`': (['brood/http.hpp'], ONCE, (2.2, 2.2)),
    '`examples/fibonacci/fib.cpp`': ('examples/fibonacci/fib.cpp', ONCE, (2.2, 3)),
    '`examples/fork_entry.cpp`': ('examples/fork_entry.cpp', ONCE, (2.5, 3.5)),
    '`examples/line_server.cpp`': ('examples/line_server.cpp', ONCE, (2.8, 4)),
    '`examples/http_cluster/http_cluster.cpp`':
        ('examples/http_cluster/http_cluster.cpp', ONCE, (2.8, 4)),
    '`<brood/brood.hpp>`, header-only': (['brood/brood.hpp'], [], None),
    '`<brood/http.hpp>`, header-only': (['brood/http.hpp'], [], None),
    '`examples/fibonacci/fib.cpp`, header-only': ('examples/fibonacci/fib.cpp', [], None),
}


def compiled(compiler, source, *flags):
    """(seconds of the processor, MB of memory at most) to compile a file."""
    process = subprocess.Popen(
        [compiler, '-std=c++20', f'-I{ROOT}/include', '-DASIO_HAS_CO_AWAIT=1',
         '-DASIO_HAS_STD_COROUTINE=1', *flags, '-c', source, '-o', '/dev/null'])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def ways(quick):
    """The compilers that are there, each with its optimisations."""
    for compiler in [os.environ.get('CXX', 'g++')] if quick else ['g++', 'clang++-19']:
        if shutil.which(compiler):
            for level in ['-O0'] if quick else ['-O0', '-O2']:
                yield compiler, level


def measure(quick, rounds, folder):
    """{what: {(compiler, level): (seconds, megabytes)}}; in turn, so that all meet the same."""
    files = {}
    for number, (what, (source, _, _)) in enumerate(SOURCES.items()):
        if isinstance(source, str):
            files[what] = ROOT / source
        else:
            files[what] = pathlib.Path(folder, f'{number}.cpp')
            files[what].write_text(''.join(f'#include <{name}>\n' for name in source))
    figures = {what: {} for what in SOURCES}
    for way in ways(quick):
        samples = {what: [] for what in SOURCES}
        for _ in range(rounds):
            for what, (_, flags, _) in SOURCES.items():
                samples[what].append(compiled(way[0], files[what], way[1], *flags))
        for what, taken in samples.items():
            figures[what][way] = tuple(statistics.median(column) for column in zip(*taken))
    return figures


def library(quick):
    """{source: {(compiler, level): seconds}} of the files of the library."""
    return {f'`src/{source.name}`': {way: compiled(way[0], source, way[1], *ONCE)
                                     for way in ways(quick)}
            for source in sorted((ROOT / 'src').glob('*.cpp'))}


def row(*cells):
    return '| ' + ' | '.join(str(cell) for cell in cells) + ' |'


def table(figures, parts):
    """The lines of both tables, for people and for docs/benchmarks.md."""
    columns = list(next(iter(figures.values())))
    names = [f'{compiler} {level}' for compiler, level in columns]
    yield row('source', *names, 'memory', 'at most')
    yield row('---', *['---:'] * (len(names) + 1), '---')
    floor = figures['the floor']
    for what, taken in figures.items():
        wanted = SOURCES[what][2]
        cells = [f'{taken[way][0]:.2f} s' if what == 'the floor' else
                 f'{taken[way][0] / floor[way][0]:.2f} ×' for way in columns]
        memory = taken[columns[0]][1]
        cells.append(f'{memory:.0f} MB' if what == 'the floor' else
                     f'{memory / floor[columns[0]][1]:.2f} ×')
        yield row(what, *cells, f'{wanted[0]:g} and {wanted[1]:g}' if wanted else '')
    yield ''
    yield row('the library', *names)
    yield row('---', *['---:'] * len(names))
    for what, taken in parts.items():
        yield row(what, *(f'{taken[way][0]:.1f} s' for way in columns))
    yield row('all', *(f'{sum(taken[way][0] for taken in parts.values()):.1f} s'
                       for way in columns))


def run(quick, rounds):
    """Measures and prints; gives the figures for programs."""
    with tempfile.TemporaryDirectory() as folder:
        figures, parts = measure(quick, rounds, folder), library(quick)
    for line in table(figures, parts):
        print(line, flush=True)
    return {what: {' '.join(way): each for way, each in taken.items()}
            for what, taken in (*figures.items(), *parts.items())}
