// Messages a second, one way to a child, by process.send.
const { fork } = require('child_process');

const size = Number(process.argv[2] || 64);
const total = Number(process.argv[3] || 50000);
if (process.send) {
  let count = 0;
  process.on('message', () => {
    count += 1;
    if (count === total) process.send(1);
  });
} else {
  const child = fork(__filename, [size, total]);
  const text = 'x'.repeat(size);
  const start = process.hrtime.bigint();
  let sent = 0;
  const more = () => {
    while (sent < total) {
      sent += 1;
      if (!child.send(text, (error) => { if (!error && sent < total && sent % 64 === 0) more(); })
        && sent % 64 === 0) return;
    }
  };
  child.on('message', () => {
    console.log(total / (Number(process.hrtime.bigint() - start) / 1e9));
    child.disconnect();
  });
  more();
}
