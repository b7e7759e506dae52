// Calls of a pool of processes: workerpool's when it is there (BENCH_MODULES names the folder that
// holds it), else a queue over child_process.fork.
//
// usage: pool.js round_trip [COUNT]
//        pool.js calls WORKERS [COUNT]    with 16 calls under way for each worker
//        pool.js map WORKERS [ITEMS]      items of 8 bytes, 4096 in each chunk
const { fork } = require('child_process');
const path = require('path');

const library = () => {
  try {
    return require(path.join(process.env.BENCH_MODULES || '', 'workerpool'));
  } catch (error) {
    return null;
  }
};

const next = (number) => number + 1;
const nextOfAll = (numbers) => numbers.map((number) => number + 1);
const functions = { next, nextOfAll };

// The least of a pool: the worker with the fewest calls gets the next one.
const ownPool = (count) => {
  const workers = Array.from({ length: count }, () => {
    const child = fork(__filename);
    const worker = { child, pending: new Map() };
    child.on('message', ({ id, result }) => {
      worker.pending.get(id)(result);
      worker.pending.delete(id);
    });
    return worker;
  });
  let last = 0;
  return {
    exec: (name, [argument]) => new Promise((resolve) => {
      const worker = workers.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
      last += 1;
      worker.pending.set(last, resolve);
      worker.child.send({ id: last, name, argument });
    }),
    terminate: () => workers.forEach(({ child }) => child.disconnect()),
  };
};

const makePool = (count) => (library()
  ? library().pool(__filename, { workerType: 'process', minWorkers: count, maxWorkers: count })
  : ownPool(count));

const callAgainAndAgain = async (pool, times) => {
  for (let number = 0; number < times; number += 1) {
    if (await pool.exec('next', [number]) !== number + 1) process.abort();
  }
};

const callSideBySide = (pool, times, callers) => Promise.all(Array.from(
  { length: callers }, () => callAgainAndAgain(pool, Math.floor(times / callers))));

const mapAll = async (pool, items, callers) => {
  const size = 4096;
  let begin = 0;
  const work = async () => {
    while (begin < items) {
      const first = begin;
      const count = Math.min(size, items - first);
      begin += count;
      const numbers = Array.from({ length: count }, (_, place) => first + place);
      const results = await pool.exec('nextOfAll', [numbers]);
      if (results.length !== count || results[0] !== first + 1) process.abort();
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
};

const measure = async () => {
  const mode = process.argv[2] || 'round_trip';
  const workers = mode === 'round_trip' ? 1 : Number(process.argv[3] || 2);
  const count = Number(process.argv[mode === 'round_trip' ? 3 : 4] || 2000);
  const pool = makePool(workers);
  const run = {
    round_trip: (calls) => callAgainAndAgain(pool, calls),
    calls: (calls) => callSideBySide(pool, calls, workers * 16),
    map: (items) => mapAll(pool, items, workers * 2),
  }[mode];
  await run(Math.max(Math.floor(count / 10), workers * 16));
  const start = process.hrtime.bigint();
  await run(count);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(mode === 'round_trip' ? seconds * 1e6 / count : count / seconds);
  pool.terminate(true);
};

const isWorker = process.send !== undefined;
if (isWorker && library()) {
  library().worker(functions);
} else if (isWorker) {
  process.on('message', ({ id, name, argument }) => {
    process.send({ id, result: functions[name](argument) });
  });
} else {
  measure();
}
