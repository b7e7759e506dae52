// Microseconds from fork() to the first message of the child; with `idle`, kilobytes of memory that
// a child which waits has to itself.
const { fork } = require('child_process');
const fs = require('fs');

const privateKilobytes = (pid) => [...fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  .matchAll(/Private_(?:Clean|Dirty): +(\d+)/g)].reduce((sum, found) => sum + Number(found[1]), 0);

if (process.send) {
  process.on('message', () => {});
  process.send(1);
} else if (process.argv[2] === 'idle') {
  const child = fork(__filename);
  child.on('message', () => {
    console.log(privateKilobytes(child.pid));
    child.disconnect();
  });
} else {
  const total = Number(process.argv[2] || 20);
  let left = total;
  let sum = 0;
  const next = () => {
    if (left-- === 0) return console.log(sum / total / 1000);
    const start = process.hrtime.bigint();
    const child = fork(__filename);
    child.on('message', () => {
      sum += Number(process.hrtime.bigint() - start);
      child.disconnect();
    });
    return child.on('exit', next);
  };
  next();
}
