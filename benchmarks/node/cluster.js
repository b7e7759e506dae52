// As benchmarks/cluster.cpp, with Node's cluster.
//
// usage: cluster exit COUNT | ready COUNT | connections POLICY CLIENT COUNT
const cluster = require('cluster');
const net = require('net');
const { spawn } = require('child_process');

const [mode, ...rest] = process.argv.slice(2);
const ready = () => new Promise((resolve) => cluster.once('message', resolve));
const exited = () => new Promise((resolve) => cluster.once('exit', resolve));

async function kills(untilReady, count) {
  const times = [];
  for (let done = 0; done < count; ++done) {
    const workers = Object.values(cluster.workers);
    const start = process.hrtime.bigint();
    workers[done % 4].process.kill('SIGKILL');
    await exited();
    let end = process.hrtime.bigint();
    cluster.fork();
    await ready();
    if (untilReady) end = process.hrtime.bigint();
    times.push(Number(end - start) / 1000);
  }
  console.log(times.sort((a, b) => a - b)[Math.floor(count / 2)]);
}

async function primary() {
  if (mode === 'connections' && rest[0] === 'shared') cluster.schedulingPolicy = cluster.SCHED_NONE;
  let port = 0;
  cluster.on('listening', (worker, address) => { port = address.port; });
  for (let count = 0; count < 4; ++count) {
    cluster.fork();
    await ready();
  }
  if (mode === 'connections') {
    const client = spawn(rest[1], [port, rest[2]], { stdio: 'inherit' });
    await new Promise((resolve) => client.on('exit', resolve));
  } else {
    await kills(mode === 'ready', Number(rest[0]));
  }
  process.exit(0);
}

if (cluster.isPrimary) {
  primary();
} else if (mode === 'connections') {
  net.createServer((socket) => { socket.on('error', () => {}); socket.destroy(); })
    .listen(0, '127.0.0.1', () => process.send('ready'));
} else {
  process.send('ready');
  process.on('message', () => {});
}
