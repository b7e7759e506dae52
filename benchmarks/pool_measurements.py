"""Pools: a function called in other processes, beside Node's workerpool, Python's
ProcessPoolExecutor and a bare fan-out over epoll."""

import shutil
import subprocess

from contestants import BUILD, Contestant, Measurement, node, ours, python, raw

# Node's pool, for those who run the benchmark; the folder also keeps it for the next run.
LIBRARY = 'workerpool@10.0.3'
MODULES = BUILD / 'node'


def fetch_library():
    """Has npm fetch workerpool; without it benchmarks/node/pool.js has a pool of its own."""
    if (MODULES / 'node_modules' / 'workerpool').is_dir() or not shutil.which('npm'):
        return
    MODULES.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix',
                        MODULES, LIBRARY], check=False, timeout=60)
    except subprocess.TimeoutExpired:
        pass


def peers(*arguments, node_count, python_count):
    """Node and Python, which are slower and so do less."""
    its = node('pool', *arguments, node_count)
    its.environment = {'BENCH_MODULES': str(MODULES / 'node_modules')}
    return [its, python('pool', *arguments, python_count)]


def measurements(few):
    result = [
        Measurement('pool, round trip of a call', 'µs', [
            ours('pool', 'round_trip', few(20_000)),
            Contestant('channel', ours('round_trip', few(20_000)).command),
            *peers('round_trip', node_count=few(5_000), python_count=few(2_000))],
            targets={'channel': 1.3})]
    for workers in (2, 8, 64):
        result.append(Measurement(f'pool of {workers}, 16 calls under way for each', 'calls/s', [
            ours('pool', 'calls', workers, few(400_000)),
            raw('fan_out', workers, 16, few(500_000)),
            *peers('calls', workers, node_count=few(40_000), python_count=few(40_000))],
            higher_is_better=True, targets={'limit': 0.5, 'node': 10, 'python': 20}))
    # Node and Python would need more memory for so many than most machines have.
    result.append(Measurement('pool of 512, 16 calls under way for each', 'calls/s', [
        ours('pool', 'calls', 512, few(400_000)), raw('fan_out', 512, 16, few(500_000))],
        higher_is_better=True, targets={'limit': 0.5}))
    return result + [
        Measurement('pool of 64, from its start to ready', 'ms', [
            ours('pool', 'ready', 64), raw('fork', 'together', 64)], targets={'limit': 1.5}),
        Measurement('pool of 2, from the grace of a late call to the end of its worker', 'ms', [
            ours('pool', 'late', 2, few(20))]),
        Measurement('pool of 2, map of items of 8 B', 'items/s', [
            ours('pool', 'map', 2, few(10_000_000)),
            *peers('map', 2, node_count=few(1_000_000), python_count=few(1_000_000))],
            higher_is_better=True),
        Measurement('pool of 2, growth by mapping them', 'KiB', [
            ours('pool', 'growth', 2, few(10_000_000))]),
    ]
