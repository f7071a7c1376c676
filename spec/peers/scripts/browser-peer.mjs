// A client with the interface of browsers: `browser-peer.mjs undici` or `global`, with targets on the standard input. See ../peer.ts.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { openInPage } from './page-peer.mjs';

const say = (text) => console.log(text);
const isUndici = process.argv[2] === 'undici';
const WebSocket = isUndici ? (await import('undici')).WebSocket : globalThis.WebSocket;
const manifest = createRequire(import.meta.url).resolve('undici/package.json');
say(`version ${isUndici ? JSON.parse(readFileSync(manifest, 'utf8')).version : process.versions.node}`);
createInterface({ input: process.stdin }).on('line', (line) => openInPage(line.split(' ')[0], { WebSocket, say }));
