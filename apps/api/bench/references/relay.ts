/*
 * The least that can bring a child's lines to a reader: at each connection a child is started, and each of its lines is sent as one
 * message. Nothing is stored, nothing can be read again, and a slow reader is not waited for.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { chatterCommand } from '../log-path/load.js';
import { say } from '../log-path/program.js';

const address = z.object({ port: z.number() });
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

server.on('connection', (socket) => {
  const [program, ...args] = chatterCommand();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => socket.send(JSON.stringify({ type: 'line', line })));
  lines.on('close', () => socket.send(JSON.stringify({ type: 'end' })));
});
server.on('listening', () => say({ url: `ws://127.0.0.1:${address.parse(server.address()).port}` }));
process.once('disconnect', () => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});
