/** Connections of which one end, or the way to it, is gone without a word. */
import { setTimeout as delay } from 'node:timers/promises';
import { Cable, type Cut } from '../cable.js';
import { type FaultCase, type Finding, timeAtMost } from '../fault-case.js';
import { connectPair, loopback, type OneEnd } from '../one-end.js';
import { machineMillis } from '../swarm/mass-peer.js';

const HEARTBEAT = { interval: 1_000, timeout: 1_000 };

/** Until an end must have noticed, in milliseconds. */
const NOTICE = HEARTBEAT.interval + HEARTBEAT.timeout + 1_000;

const cuts: Readonly<Record<Cut, string>> = {
  both: 'a link that is down',
  'from server': 'a link that loses what the server sends',
  'from client': 'a link that loses what the client sends',
};

/** How long an end took to notice, in milliseconds. */
interface Notice {
  readonly what: string;
  readonly millis: number;
}

/** Each end must notice by itself. */
export const halfOpen: FaultCase = {
  name: 'half-open connections',
  waits: true,
  async run(scale) {
    const refusal = permission();
    // At any moment of a heartbeat.
    const lead = (): number => (scale === 'short' ? 0 : Math.random() * 2 * HEARTBEAT.interval);
    const tries = [() => stopped('server', lead()), () => stopped('client', lead())];
    if (refusal === undefined) {
      tries.push(...(Object.keys(cuts) as Cut[]).map((cut, index) => () => cutOff(cut, index, lead())));
    }
    const notices: Notice[] = [];
    for (let round = 0; round < (scale === 'short' ? 1 : 5); round++) {
      notices.push(...(await Promise.all(tries.map((attempt) => attempt()))).flat());
    }
    return [...slowest(notices), ...(refusal ?? [])];
  },
};

/** Why no cable can be laid. A machine that does not permit it has the stopped processes still. */
function permission(): Finding[] | undefined {
  try {
    Cable.lay(`sluice-${process.pid}`).remove();
    return undefined;
  } catch (error) {
    const measured = `none: ${(error as Error).message.split('\n').at(-2) ?? (error as Error).message}`;
    return [{ what: 'a link that is down', expected: 'network namespaces, where permitted', measured, holds: true }];
  }
}

/** One end's process stands still: its kernel goes on to acknowledge all that is sent. */
async function stopped(role: 'server' | 'client', lead: number): Promise<Notice[]> {
  const pair = await connectPair(HEARTBEAT, { server: loopback, client: loopback });
  try {
    await delay(lead);
    const began = machineMillis();
    pair[role].signal('SIGSTOP');
    const other = role === 'server' ? 'client' : 'server';
    return [await notice(pair[other], began, `a stopped ${role}: the ${other} notices`)];
  } finally {
    await pair.stop();
  }
}

async function cutOff(what: Cut, index: number, lead: number): Promise<Notice[]> {
  const cable = Cable.lay(`sluice-${process.pid}-${index}`);
  try {
    const pair = await connectPair(HEARTBEAT, cable);
    try {
      await delay(lead);
      const began = machineMillis();
      cable.cut(what);
      return await Promise.all(
        (['server', 'client'] as const).map((role) => notice(pair[role], began, `${cuts[what]}: the ${role} notices`)),
      );
    } finally {
      await pair.stop();
    }
  } finally {
    cable.remove();
  }
}

async function notice(end: OneEnd, began: number, what: string): Promise<Notice> {
  const { at } = await end.report('closed', NOTICE / 100);
  return { what, millis: at - began };
}

function slowest(notices: readonly Notice[]): Finding[] {
  const most = new Map<string, number>();
  for (const { what, millis } of notices) most.set(what, Math.max(millis, most.get(what) ?? 0));
  return [...most].map(([what, millis]) => timeAtMost(what, NOTICE, millis));
}
