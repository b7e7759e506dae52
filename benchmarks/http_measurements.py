"""What tools/bench asks of the servers of http, and what it measures meanwhile.

wrk loads them through 64 connections; what one connection costs and how bodies stream is measured
by sockets of this program.
"""

import collections
import contextlib
import functools
import pathlib
import re
import resource
import signal
import socket
import subprocess
import time

from contestants import Contestant, Measurement, built, script
from servers import PATIENCE, Nginx, Server, places, settle, wait_until


# ---- Loads

def requests(server, seconds, close):
    """Requests a second, and the microseconds of processor time that each takes the server."""
    with server.started() as running:
        wrk(server, running.port, seconds / 2, close)  # Node compiles what runs often
        before = running.processor_time()
        count, rate = wrk(server, running.port, seconds, close)
        used = running.processor_time() - before
    return {'rate': rate, 'time': used / count * 1e6}


def wrk(server, port, seconds, close):
    """The number of requests, one at least, and how many those are in a second."""
    headers = ['-H', 'Connection: close'] if close else []
    load = subprocess.Popen(
        ['wrk', '-t1', '-c64', '-d1h', *headers, f'http://127.0.0.1:{port}/'], text=True,
        stdout=subprocess.PIPE, preexec_fn=lambda: settle(places(server.workers)[1]))
    try:
        # Its own clock knows only whole seconds; it ends well by SIGINT, once that is caught.
        wait_until(lambda: load.poll() is not None or catches(load.pid, signal.SIGINT),
                   'wrk has not begun')
        time.sleep(seconds)
        load.send_signal(signal.SIGINT)
        said = load.communicate(timeout=PATIENCE)[0]
    finally:
        load.kill()
        load.wait()
    failed = re.search(r'Non-2xx.*|Socket errors.*(connect|read|write) [1-9].*', said)
    count = re.search(r'(\d+) requests in', said)
    if failed or not count or (count[1] == '0' and seconds > PATIENCE):
        raise RuntimeError(f'{server.name} under load: {said}')
    if count[1] == '0':
        return wrk(server, port, seconds * 4, close)
    return int(count[1]), float(re.search(r'Requests/sec: +([\d.]+)', said)[1])


def catches(pid, number):
    caught = re.search(r'^SigCgt:\s+(\w+)', pathlib.Path(f'/proc/{pid}/status').read_text(), re.M)
    return int(caught[1], 16) >> (number - 1) & 1 == 1


def idle_memory(server, count):
    """KiB of private memory for each connection that has asked once and stays open."""
    with many_descriptors() as most, server.started() as running, \
            contextlib.ExitStack() as open_ones:
        def ask_once():
            connection = open_ones.enter_context(connect(running))
            ask(connection, 'GET /')
        count = min(count, most - 100)
        ask_once()
        before = running.kilobytes('smaps_rollup', 'Private_Dirty')
        for _ in range(count):
            ask_once()
        return (running.kilobytes('smaps_rollup', 'Private_Dirty') - before) / count


@contextlib.contextmanager
def many_descriptors():
    """As many as the system allows, for this program and what it starts."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))


def stream(server, megabytes):
    """MB/s of a body to the client, of one to the server, and KiB by which memory grew."""
    size = megabytes << 20
    with server.started() as running, connect(running) as connection:
        ask(connection, 'GET /65536')
        ask(connection, 'POST /', 65536)
        before = running.kilobytes('status', 'VmRSS')
        running.forget_peak()
        down = timed(lambda: ask(connection, f'GET /{size}'))
        up = timed(lambda: ask(connection, 'POST /', size))
        growth = running.kilobytes('status', 'VmHWM') - before
    return {'down': size / down / 1e6, 'up': size / up / 1e6, 'growth': growth}


def timed(call):
    start = time.monotonic()
    call()
    return time.monotonic() - start


def connect(running):
    return socket.create_connection(('127.0.0.1', running.port), timeout=PATIENCE)


BLOCK = bytearray(1 << 20)


def ask(connection, what, length=0):
    """Sends one request with a body of some length, and takes the whole answer."""
    framing = f'Content-Length: {length}\r\n' if length else ''
    connection.sendall(f'{what} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n'.encode())
    for sent in range(0, length, len(BLOCK)):
        connection.sendall(memoryview(BLOCK)[:length - sent])
    answer = b''
    while b'\r\n\r\n' not in answer:
        answer += received(connection.recv(len(BLOCK)))
    head, _, body = answer.partition(b'\r\n\r\n')
    if not head.startswith(b'HTTP/1.1 200 '):
        raise RuntimeError(f'{what} was answered with {head}')
    left = int(re.search(rb'\r\nContent-Length: *(\d+)', head, re.IGNORECASE)[1]) - len(body)
    while left > 0:
        left -= received(connection.recv_into(BLOCK, min(left, len(BLOCK))))


def received(what):
    if not what:
        raise RuntimeError('the server has closed a connection in the middle of an answer')
    return what


# ---- Measurements

class Runs:
    """Runs of one load that give several figures, each of which is used once: measurements that
    show the same load from different sides share its runs."""

    def __init__(self, run):
        self.run, self.left = run, collections.defaultdict(list)

    def figure(self, name):
        def take():
            if not self.left[name]:
                for key, value in self.run().items():
                    self.left[key].append(value)
            return self.left[name].pop(0)
        return take


def contestants(runs, figure, *uses):
    return [Contestant(server.name, each.figure(figure), uses=[server.program, *uses])
            for server, each in runs]


def alone():
    return [Server('brood', [built('http'), 'alone']), Server('limit', [built('raw_http'), 0]),
            Server('node', ['node', script('http'), 'alone']), Nginx()]


def workers(mode, count):
    result = [Server('brood', [built('http'), mode, count], count),
              Server('node', ['node', script('http'), mode, count], count)]
    if mode == 'shared':
        result[1:1] = [Server('limit', [built('raw_http'), 0, count], count)]
        result.append(Nginx(count))
    return result


def rates(quick):
    """Requests a second, and their processor time, which also tells servers apart that wrk cannot
    keep busy."""
    seconds = 0.1 if quick else 1.6
    for what, servers, targets in [
            ('one process', alone(), {'limit': 0.9, 'node': 2.3, 'nginx': 1}),
            ('shared port', workers('shared', 2), {'limit': 0.9, 'node': 2.3, 'nginx': 1}),
            ('round robin', workers('round_robin', 2), {'node': 3})]:
        for close, how in [(False, 'keep-alive'), (True, 'close')]:
            runs = [(server, Runs(functools.partial(requests, server, seconds, close)))
                    for server in servers]
            yield Measurement(f'http, {what}, {how}', 'requests/s',
                              contestants(runs, 'rate', 'wrk'), True, targets)
            yield Measurement(f'http, processor time, {what}, {how}', 'µs/request',
                              contestants(runs, 'time', 'wrk'), False,
                              {name: round(1 / ratio, 2) for name, ratio in targets.items()})


def measurements(quick):
    """All of http; when quick, each for a moment."""
    yield from rates(quick)
    count, megabytes = (500, 32) if quick else (10_000, 1024)
    yield Measurement('http, memory of an idle connection', 'KiB', [
        Contestant(server.name, functools.partial(idle_memory, server, count),
                   uses=[server.program]) for server in alone()])
    runs = [(server, Runs(functools.partial(stream, server, megabytes)))
            for server in alone() if not isinstance(server, Nginx)]
    for what, figure, unit in [('to the client', 'down', 'MB/s'), ('to the server', 'up', 'MB/s'),
                               ('growth of memory', 'growth', 'KiB')]:
        yield Measurement(f'http, streaming, {what}', unit, contestants(runs, figure),
                          unit == 'MB/s')
