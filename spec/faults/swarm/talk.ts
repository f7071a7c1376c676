/** Peers that talk to a server that echoes. */
import { setTimeout as delay } from 'node:timers/promises';
import { inParallel, MassPeer, machineMillis, shortFrame } from './mass-peer.js';

/** How many connect at a time. */
const WIDTH = 200;

/** How a talk is held. Times are milliseconds. */
export interface TalkOptions {
  readonly port: number;
  readonly count: number;
  /** Between two messages of one connection. */
  readonly every: number;
}

/** What has become of a talk with a server that echoes. */
export interface TalkResult {
  readonly open: number;
  readonly sent: number;
  readonly echoed: number;
  /** Echoes that were not the next ones of their connection: lost, doubled or reordered ones before them. */
  readonly outOfOrder: number;
  /** By close code; 1006 stands for an end without a Close frame. */
  readonly codes: Readonly<Record<number, number>>;
  /** When the last Close frame came, as {@link machineMillis} tells. */
  readonly lastClose: number;
}

class Talker {
  sent = 0;
  echoed = 0;
  outOfOrder = 0;
  code: number | undefined;
  closedAt = 0;
  readonly over: Promise<void>;
  readonly peer: MassPeer;

  constructor(peer: MassPeer) {
    this.peer = peer;
    this.over = new Promise((resolve) => {
      peer.events = {
        message: (text) => {
          if (Number(text) !== this.echoed) this.outOfOrder++;
          this.echoed++;
        },
        close: (code) => {
          this.code = code;
          this.closedAt = machineMillis();
        },
        gone: resolve,
      };
    });
  }

  speak(): void {
    if (this.code === undefined && this.peer.socket.writable) this.peer.send(String(this.sent++));
  }
}

const talkers: Talker[] = [];
let speaking: NodeJS.Timeout | undefined;

/** Opens connections, and sends on each a number every so often, spread over the time. Resolves when all are open. */
export async function talk({ port, count, every }: TalkOptions): Promise<{ open: number }> {
  await inParallel(count, WIDTH, async () => {
    const peer = await MassPeer.open(port);
    if (peer !== undefined) talkers.push(new Talker(peer));
  });
  const began = performance.now();
  let spoken = 0;
  speaking = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / every) * talkers.length);
    while (spoken < due) talkers[spoken++ % talkers.length]?.speak();
  }, 5);
  return { open: talkers.length };
}

/** Resolves when each connection of a talk has got an echo, or has ended: by then messages come at their full rate. */
export async function allTalk(): Promise<void> {
  while (talkers.some(({ echoed, peer }) => echoed === 0 && !peer.socket.destroyed)) await delay(20);
}

/** Sends nothing more, waits for the echoes that are due, and leaves. */
export async function hushAndLeave({ wait }: { wait: number }): Promise<TalkResult> {
  clearInterval(speaking);
  const until = performance.now() + wait;
  while (talkers.some(({ sent, echoed }) => echoed < sent) && performance.now() < until) {
    await delay(20);
  }
  for (const { peer } of talkers) peer.socket.write(shortFrame(0x8, Buffer.from([3, 232])));
  return talkEnded();
}

/** Waits until all connections of a talk are over. */
export async function talkEnded(): Promise<TalkResult> {
  await Promise.all(talkers.map(({ over }) => over));
  clearInterval(speaking);
  const ended = talkers.splice(0);
  const codes: Record<number, number> = {};
  for (const { code = 1006 } of ended) codes[code] = (codes[code] ?? 0) + 1;
  const sum = (value: (talker: Talker) => number): number => ended.reduce((total, talker) => total + value(talker), 0);
  return {
    open: ended.length,
    sent: sum(({ sent }) => sent),
    echoed: sum(({ echoed }) => echoed),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    codes,
    lastClose: Math.max(...ended.map(({ closedAt }) => closedAt)),
  };
}
