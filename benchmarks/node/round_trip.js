// Microseconds for a message of 64 bytes to a child and back, by process.send.
const { fork } = require('child_process');

const text = 'x'.repeat(64);
if (process.send) {
  process.on('message', (message) => process.send(message));
} else {
  const rounds = Number(process.argv[2] || 5000);
  const child = fork(__filename);
  const warm = Math.floor(rounds / 10);
  let count = 0;
  let start = 0n;
  child.on('message', () => {
    count += 1;
    if (count === warm) start = process.hrtime.bigint();
    if (count === warm + rounds) {
      console.log(Number(process.hrtime.bigint() - start) / rounds / 1000);
      child.disconnect();
    } else {
      child.send(text);
    }
  });
  child.send(text);
}
