#!/usr/bin/env python3
"""Runs examples/queue against a nats-server of its own: whoever dies, every job is done.

First what its first comment promises. Then 200 jobs for three primaries: one is asked to end in the
middle and leaves no job that it has begun, the next is killed, the last does the rest.

usage: nats_queue.py PROGRAM SOURCE
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from output import difference, left_behind, promise

LIMIT = 60  # seconds, for anything that is waited for
JOB = 3     # seconds for a job; a second later another primary gets what a killed one had


def wait_for(what, condition):
    """What the condition gives, as soon as that is something."""
    end = time.monotonic() + LIMIT
    while not (found := condition()):
        if time.monotonic() > end:
            sys.exit(f'{what}: not within {LIMIT} s')
        time.sleep(0.01)
    return found


class Server:
    """A nats-server on a free port of the loopback, with its streams in a folder."""

    def __init__(self, program, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            [program, '-a', '127.0.0.1', '-p', '-1', '-js', '-sd', folder / 'store',
             '--ports_file_dir', folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def address(self):
        def told():
            if self.process.poll() is not None:
                sys.exit(f'nats-server has ended with {self.process.returncode}')
            for path in self.folder.glob('*.ports'):
                try:
                    return json.loads(path.read_text())['nats'][0].split('//')[1]
                except ValueError:
                    pass  # it is being written
            return None
        return wait_for('nats-server', told)

    def ask(self, subject):
        """What its JetStream says about something."""
        host, port = self.address().split(':')
        with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
            connection.sendall(b'CONNECT {"verbose":false}\r\nSUB answers 1\r\n'
                               b'PUB $JS.API.%s answers 0\r\n\r\n' % subject.encode())
            with connection.makefile('rb') as lines:
                while not (line := lines.readline()).startswith(b'MSG '):
                    if not line or line.startswith(b'-ERR'):
                        sys.exit(f'nats-server: {line}')
                return json.loads(lines.read(int(line.split()[-1])))

    def is_empty(self):
        return self.ask('STREAM.INFO.jobs')['state']['messages'] == 0

    def under_way(self):
        """How many jobs somebody has, and has not said what became of them."""
        return self.ask('CONSUMER.INFO.jobs.pool')['num_ack_pending']

    def end(self):
        self.process.terminate()
        self.process.wait(LIMIT)


class Primaries:
    """The example, again and again; all of them write to one file."""

    def __init__(self, program, address, printed):
        self.program, self.address, self.printed = program, address, printed
        self.started = []
        self.environment = {**os.environ, 'BROOD_EXAMPLE': str(os.getpid())}

    def feed(self, jobs):
        subprocess.run([self.program, self.address, 'feed', *jobs], check=True, timeout=LIMIT,
                       env=self.environment)

    def start(self):
        with self.printed.open('ab') as out:
            self.started.append(subprocess.Popen(
                [self.program, self.address, 'work', str(JOB)], stdout=out,
                stderr=subprocess.STDOUT, env=self.environment))
        return self.started[-1]

    def end(self):
        """Those that still run, as something went wrong."""
        for process in self.started:
            process.kill()
            process.wait(LIMIT)

    def lines(self):
        return self.printed.read_text().splitlines()

    def wait_for_lines(self, count):
        wait_for(f'{count} lines', lambda: len(self.lines()) >= count)


def end(process, by):
    """Ends a primary that should still run, and gives what is wrong with how it ended."""
    if process.poll() is not None:
        return [f'a primary has ended by itself, with {process.returncode}']
    process.send_signal(by)
    wanted = 0 if by == signal.SIGTERM else -by
    code = process.wait(LIMIT)
    return [] if code == wanted else [f'a primary ended with {code}, not {wanted}']


def check(server, primaries, promised, how):
    """What is wrong; nothing when every job was done."""
    primaries.feed([line.split()[0] for line in promised])
    primary = primaries.start()
    wait_for('what the first comment promises', lambda: server.is_empty())
    wrong = difference(promised, primaries.lines(), how)

    jobs = [str(400_000_000_000 + number) for number in range(200)]
    before = len(promised)
    primaries.feed(jobs)
    primaries.wait_for_lines(before + 20)
    wrong += end(primary, signal.SIGTERM)
    if (left := server.under_way()) > 0:
        wrong.append(f'{left} jobs were under way when a primary had ended')

    primary = primaries.start()
    primaries.wait_for_lines(before + 60)
    wrong += end(primary, signal.SIGKILL)

    primary = primaries.start()
    wait_for('the end of the queue', lambda: server.is_empty())
    wrong += end(primary, signal.SIGTERM)
    done = {line.split(' has ')[0] for line in primaries.lines() if ' has ' in line}
    if missing := [job for job in jobs if job not in done]:
        wrong.append(f'{len(missing)} of {len(jobs)} jobs were lost: {" ".join(missing)}')
    given_up = [line for line in primaries.lines()[before:] if ' has ' not in line]
    return wrong + given_up


def main():
    program, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    server = shutil.which('nats-server', path=os.environ['PATH'] + ':/usr/sbin:/usr/local/sbin')
    if not server:
        print("left out, because nats-server is missing (Debian: nats-server): examples/queue")
        sys.exit(77)
    promised, how = promise(source.read_text())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        running = Server(server, folder)
        primaries = None
        try:
            primaries = Primaries(program, running.address(), folder / 'printed')
            wrong = check(running, primaries, promised, how)
        finally:
            if primaries:
                primaries.end()
            running.end()
        wrong += left_behind(f'BROOD_EXAMPLE={os.getpid()}')
    sys.exit('\n'.join([f'{source}:'] + wrong) if wrong else None)


if __name__ == '__main__':
    main()
