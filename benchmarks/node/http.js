// As benchmarks/http.cpp, with Node's http and cluster.
//
// usage: http alone | shared WORKERS | round_robin WORKERS
const cluster = require('cluster');
const http = require('http');

const [mode, count] = process.argv.slice(2);
const block = Buffer.alloc(65536, 'x');

function sendBytes(response, size) {
  let left = size;
  response.setHeader('Content-Length', size);
  const more = () => {
    while (left > 0) {
      const part = block.subarray(0, Math.min(left, block.length));
      left -= part.length;
      if (!response.write(part)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

function countBytes(request, response) {
  let size = 0;
  request.on('data', (piece) => { size += piece.length; });
  request.on('end', () => response.end(String(size)));
}

function answer(request, response) {
  if (request.method === 'POST') countBytes(request, response);
  else if (request.url === '/') response.end('hello\n');
  else sendBytes(response, Number(request.url.slice(1)));
}

function serve(listening) {
  const server = http.createServer({ keepAliveTimeout: 60000 }, answer);
  server.listen(0, '127.0.0.1', () => listening(server.address().port));
}

function startWorkers() {
  cluster.schedulingPolicy = mode === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  let listening = 0;
  cluster.on('listening', (worker, address) => {
    listening += 1;
    if (listening === Number(count)) console.log(address.port);
  });
  for (let started = 0; started < Number(count); ++started) cluster.fork();
}

if (mode === 'alone') serve((port) => console.log(port));
else if (cluster.isPrimary) startWorkers();
else serve(() => {});
