"""Calls of a ProcessPoolExecutor.

usage: pool.py round_trip [COUNT]
       pool.py calls WORKERS [COUNT]    with 16 calls under way for each worker
       pool.py map WORKERS [ITEMS]      items of 8 bytes, 4096 in each chunk
"""

import concurrent.futures
import itertools
import sys
import time


def increment(number):
    return number + 1


def call_again_and_again(pool, count):
    for number in range(count):
        assert pool.submit(increment, number).result() == number + 1


def call_side_by_side(pool, count, under_way):
    numbers = iter(range(count))
    waiting = {pool.submit(increment, number) for number in itertools.islice(numbers, under_way)}
    while waiting:
        ended, waiting = concurrent.futures.wait(
            waiting, return_when=concurrent.futures.FIRST_COMPLETED)
        for one in ended:
            one.result()
        waiting |= {pool.submit(increment, number)
                    for number in itertools.islice(numbers, len(ended))}


def map_all(pool, items):
    for number, result in enumerate(pool.map(increment, range(items), chunksize=4096)):
        assert result == number + 1


def main():
    mode = sys.argv[1]
    workers = 1 if mode == 'round_trip' else int(sys.argv[2])
    count = int(sys.argv[2 if mode == 'round_trip' else 3])
    run = {'round_trip': call_again_and_again, 'map': map_all,
           'calls': lambda pool, calls: call_side_by_side(pool, calls, 16 * workers)}[mode]
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        run(pool, max(count // 10, workers * 16))
        start = time.perf_counter()
        run(pool, count)
        took = time.perf_counter() - start
    print(took * 1e6 / count if mode == 'round_trip' else count / took)


if __name__ == '__main__':
    main()
