// Node's ws: one send per client, which is how its documentation broadcasts. Usage: node ws.js PORT
const http = require('http');
const { WebSocketServer, WebSocket } = require('ws');

const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: { status: 'OK' } });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const members = new Set();

sockets.on('connection', (socket, request) => {
  if (request.url === '/pub') {
    socket.on('message', (data) => {
      for (const member of members) {
        if (member.readyState === WebSocket.OPEN) member.send(data, { binary: true });
      }
    });
    return;
  }
  members.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => members.delete(socket));
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 1024 });
