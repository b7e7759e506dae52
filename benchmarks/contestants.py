"""What tools/bench compares: programs, or functions, that give one figure each."""

import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build' / 'bench'


@dataclass
class Contestant:
    """A program whose last line is one number, or a function that returns it."""
    name: str
    command: list
    environment: dict = field(default_factory=dict)
    uses: list = field(default_factory=list)  # programs that the function runs

    def run(self):
        if callable(self.command):
            return self.command()
        said = subprocess.run(self.command, env={**os.environ, **self.environment}, check=True,
                              stdout=subprocess.PIPE, text=True, timeout=120).stdout
        return float(said.split()[-1])

    def programs(self):
        """What has to be there: a path when it is built here, else a name."""
        named = [] if callable(self.command) else [
            word for place, word in enumerate(self.command) if place == 0 or is_built(word)]
        return named + self.uses

    def missing(self):
        return [program for program in self.programs() if not shutil.which(program)]


@dataclass
class Measurement:
    """Contestants that do the same; the first is brood, the others are what it is compared with."""
    name: str
    unit: str
    contestants: list
    higher_is_better: bool = False
    targets: dict = field(default_factory=dict)  # by contestant: the ratio that brood is to reach


def is_built(word):
    return isinstance(word, pathlib.Path) and BUILD in word.parents


def built(name):
    return BUILD / 'benchmarks' / f'bench_{name}'


def script(name):
    return ROOT / 'benchmarks' / 'node' / f'{name}.js'


def words(arguments):
    """Arguments for a program; a path stays one, as it may have to be built first."""
    return [each if isinstance(each, pathlib.Path) else str(each) for each in arguments]


def ours(name, *arguments, **environment):
    return Contestant('brood', [built(name), *words(arguments)], environment)


def raw(name, *arguments):
    return Contestant('limit', [built(f'raw_{name}'), *words(arguments)])


def node(name, *arguments):
    return Contestant('node', ['node', script(name), *words(arguments)])


def python(name, *arguments):
    return Contestant('python', ['python3', ROOT / 'benchmarks' / 'python' / f'{name}.py',
                                 *words(arguments)])
