"""Starts servers, ends them, and reads off from outside what they use. Needs Linux, for /proc."""

import collections
import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

from contestants import BUILD

PATIENCE = 30  # seconds for what takes milliseconds


class Server:
    """A program that prints its port."""

    def __init__(self, name, command, workers=1):
        self.name, self.workers = name, workers
        self.command = [*map(str, command)]
        self.program = command[0]

    @contextlib.contextmanager
    def started(self):
        """The server while it runs; it and all its processes are ended in any case."""
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   start_new_session=True,
                                   preexec_fn=lambda: settle(places(self.workers)[0]))
        try:
            yield Running(process.pid, self.port(process))
        finally:
            end(process)

    def port(self, process):
        select.select([process.stdout], [], [], PATIENCE)
        os.set_blocking(process.stdout.fileno(), False)
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f'{self.name} has not said its port: {self.command}')
        return int(line)


class Nginx(Server):
    """Is told its port, and cannot stream what is not in a file."""
    CONFIGURATION = '''
        daemon off;
        pid FOLDER/pid;
        error_log stderr;
        worker_processes WORKERS;
        events { worker_connections 16384; }
        http {
            access_log off;
            keepalive_requests 1000000000;
            keepalive_timeout 60s;
            client_body_temp_path FOLDER/body;
            proxy_temp_path FOLDER/proxy;
            fastcgi_temp_path FOLDER/fastcgi;
            uwsgi_temp_path FOLDER/uwsgi;
            scgi_temp_path FOLDER/scgi;
            server {
                listen 127.0.0.1:PORT;
                location / { return 200 "hello\\n"; }
            }
        }
        '''

    def __init__(self, workers=1):
        self.folder = BUILD / 'nginx'
        super().__init__('nginx', ['nginx', '-e', 'stderr', '-p', self.folder,
                                   '-c', self.folder / 'nginx.conf'], workers)

    def started(self):
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.free_port = free.getsockname()[1]
        self.folder.mkdir(parents=True, exist_ok=True)
        text = self.CONFIGURATION
        for word, value in [('FOLDER', self.folder), ('PORT', self.free_port),
                            ('WORKERS', self.workers)]:
            text = text.replace(word, str(value))
        (self.folder / 'nginx.conf').write_text(text)
        return super().started()

    def port(self, process):
        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(('127.0.0.1', self.free_port)) == 0
        wait_until(listens, 'nginx has not begun to listen')
        return self.free_port


def wait_until(condition, otherwise):
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise RuntimeError(otherwise)
        time.sleep(0.005)


def places(workers):
    """The processors of a server and of its load: apart from each other when there are enough."""
    every = sorted(os.sched_getaffinity(0))
    return (every[:-1], every[-1:]) if len(every) > workers else (every, every)


def settle(processors):
    """In a new process: where it runs, and that it ends with this program."""
    os.sched_setaffinity(0, processors)
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def end(process):
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what is left of its session
    process.wait()
    process.stdin.close()
    process.stdout.close()


def family(first):
    """A process, its children, their children and so on."""
    children = collections.defaultdict(list)
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            parent = (path / 'stat').read_text().rpartition(')')[2].split()[1]
            children[int(parent)].append(int(path.name))
    result = [first]
    for pid in result:
        result += children[pid]
    return result


class Running:
    """What can be seen of a server from outside; sums over all its processes."""

    def __init__(self, pid, port):
        self.pid, self.port = pid, port

    def files(self, name):
        return [pathlib.Path(f'/proc/{pid}/{name}') for pid in family(self.pid)]

    def processor_time(self):
        """Seconds, of the user and of the system."""
        ticks = sum(sum(map(int, file.read_text().rpartition(')')[2].split()[11:13]))
                    for file in self.files('stat'))
        return ticks / os.sysconf('SC_CLK_TCK')

    def kilobytes(self, file, field):
        return sum(int(re.search(rf'^{field}:\s+(\d+)', each.read_text(), re.MULTILINE)[1])
                   for each in self.files(file))

    def forget_peak(self):
        for file in self.files('clear_refs'):
            file.write_text('5')
