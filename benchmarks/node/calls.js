// Calls a second, with many under way at once: messages with a number that the reply repeats.
const { fork } = require('child_process');

if (process.send) {
  process.on('message', ({ id, value }) => process.send({ id, value: value + 1 }));
} else {
  const total = Number(process.argv[2] || 50000);
  const underWay = Number(process.argv[3] || 64);
  const child = fork(__filename);
  const pending = new Map();
  let last = 0;
  child.on('message', ({ id, value }) => {
    pending.get(id)(value);
    pending.delete(id);
  });
  const call = (value) => new Promise((resolve) => {
    last += 1;
    pending.set(last, resolve);
    child.send({ id: last, value });
  });
  const callAgainAndAgain = async (times) => {
    for (let number = 0; number < times; number += 1) {
      if (await call(number) !== number + 1) process.abort();
    }
  };
  const measure = async () => {
    await callAgainAndAgain(1000);
    const start = process.hrtime.bigint();
    const each = Math.floor(total / underWay);
    await Promise.all(Array.from({ length: underWay }, () => callAgainAndAgain(each)));
    console.log(each * underWay / (Number(process.hrtime.bigint() - start) / 1e9));
    child.disconnect();
  };
  measure();
}
