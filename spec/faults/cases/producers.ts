/** Applications that send without an end, to a peer that reads as fast as they do and is killed then. */
import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { join } from 'node:path';
import { stopChild } from '../../support/stop-child.js';
import { type FaultCase, type Finding, timeAtMost } from '../fault-case.js';

/** How much longer than on an idle server the event loop may be busy, and timers late, in milliseconds. */
const allowedMillis = 50;

/** How long the end of the peer may stay unnoticed, in milliseconds. */
const noticeMillis = 2_000;

const producers = [
  'sendFrom of small messages',
  'sendFrom of 60 kB that compress well',
  'fragments of an iterable',
  'a loop that asks isReady',
  'a pipeline of Node',
  "a pump on 'drain'",
  'a pipe of web streams',
];

/** Those that differ most. */
const shortProducers = ['sendFrom of 60 kB that compress well', 'a loop that asks isReady', 'a pipe of web streams'];

/** Producers that are never late. */
export const endlessProducers: FaultCase = {
  name: 'producers that never stop',
  async run(scale) {
    const idle = await produced('nothing');
    const findings: Finding[] = [];
    for (const producer of scale === 'short' ? shortProducers : producers) {
      const { stallMillis, noticedMillis } = await produced(producer);
      findings.push(
        timeAtMost(`longest stall of timers beside ${producer}`, idle.stallMillis + allowedMillis, stallMillis),
        timeAtMost(`until ${producer} has learned that its peer was killed`, noticeMillis, noticedMillis),
      );
    }
    return findings;
  },
};

interface Produced {
  readonly stallMillis: number;
  readonly noticedMillis: number;
}

async function produced(producer: string): Promise<Produced> {
  const child = forked('producer.mjs', producer);
  let peer: ChildProcess | undefined;
  try {
    const reports = reportsOf(child, producer);
    const { port } = await reports('listening');
    peer = forked('reader.mjs', String(port));
    const { stallMillis } = await reports('produced');
    const killedAt = Number(process.hrtime.bigint()) / 1e6;
    peer.kill('SIGKILL');
    const { at } = await reports('noticed');
    return { stallMillis: stallMillis as number, noticedMillis: (at as number) - killedAt };
  } finally {
    if (peer !== undefined) await stopChild(peer);
    await stopChild(child);
  }
}

function forked(script: string, argument: string): ChildProcess {
  const path = join(import.meta.dirname, '..', 'subject', script);
  return fork(path, [argument], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

type Report = { readonly event: string } & Readonly<Record<string, unknown>>;

/** Waits for what a child says, in the order in which it says it. */
function reportsOf(child: ChildProcess, producer: string): (event: string) => Promise<Report> {
  const messages = on(child, 'message', { signal: AbortSignal.timeout(20_000) });
  return async (event) => {
    for (;;) {
      const { value } = (await messages.next().catch((cause: unknown) => {
        throw new Error(`${producer}: never ${event}`, { cause });
      })) as { readonly value: [Report] };
      if (value[0].event === event) return value[0];
    }
  };
}
