// Sockets a second that move to a child, one with each message.
const { fork } = require('child_process');
const net = require('net');

const total = Number(process.argv[2] || 500);
if (process.send) {
  let count = 0;
  process.on('message', (message, socket) => {
    if (socket) socket.destroy();
    count += 1;
    if (count === total) process.send(1);
  });
} else {
  const child = fork(__filename, [total]);
  const server = net.createServer({ pauseOnConnect: true });
  const sockets = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    if (sockets.length < total) return;
    const start = process.hrtime.bigint();
    sockets.forEach((each) => child.send('socket', each));
    child.on('message', () => {
      console.log(total / (Number(process.hrtime.bigint() - start) / 1e9));
      process.exit(0);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    for (let count = 0; count < total; count += 1) net.connect(server.address().port, '127.0.0.1');
  });
}
