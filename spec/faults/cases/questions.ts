/** Many open questions: what one long message costs then, and what it costs to open and leave them. */
import { ask } from '../../../src/index.js';
import { connectionPair } from '../../../src/testing.js';
import { text, wire } from '../../support/frames.js';
import { type FaultCase, type Finding, thousands, timeAtMost } from '../fault-case.js';
import { HostilePeer } from '../hostile-peer.js';
import { type Target, underAttack } from '../under-attack.js';

const MiB = 1_048_576;
/** How much later echoes of others may come than beside nothing, in milliseconds. */
const delayMillis = 60;

/** One message, and many who look whether it is their answer. */
export const longAnswer: FaultCase = {
  name: 'a message of 4 MB, and many open questions',
  async run() {
    const kinds = [
      { open: 1_000, by: 'key' },
      { open: 100, by: 'match' },
    ];
    const findings: Finding[] = [];
    for (const { open, by } of kinds) {
      const path = `/ask?open=${open}&by=${by}`;
      const what = `${thousands(open)} questions by ${by}`;
      findings.push(
        ...(await underAttack({ options: { maxPayload: 8 * MiB } }, (target) => lookAt(target, path, what))),
      );
    }
    return findings;
  },
};

/** In bytes, about. */
const messageBytes = 4_000_000;

/** JSON that answers nothing. */
function longMessage(): Buffer {
  const rows = Array.from({ length: 20_000 }, (_, row) => `row number ${row}, `.repeat(12));
  return wire('server', [text(JSON.stringify({ id: 'none', size: messageBytes, rows }))]);
}

async function lookAt({ subject, bystander }: Target, path: string, what: string): Promise<readonly Finding[]> {
  const peer = await HostilePeer.open(subject.port, { path });
  const bytes = longMessage();
  const send = async (): Promise<number> => {
    const before = await subject.vitals();
    await peer.flood(bytes);
    let stallMillis = 0;
    await subject.until(({ messageBytes: now, stall }) => {
      stallMillis = Math.max(stallMillis, stall.maxMillis);
      return now >= before.messageBytes + messageBytes;
    });
    return stallMillis;
  };
  // The first one compiles.
  await send();
  await bystander.echoed();
  await seconds(1);
  const idle = await bystander.report();
  const stallMillis = await send();
  await seconds(1);
  const busy = await bystander.report();
  return [
    timeAtMost(
      `echoes beside, 99th percentile over that of the idle server, ${what}`,
      delayMillis,
      Math.max(0, busy.p99Millis - idle.p99Millis),
    ),
    timeAtMost(`stall, ${what}`, delayMillis, stallMillis),
  ];
}

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}

const [few, many] = [10_000, 100_000];
/** Ten times as many take ten times as long, and collecting the garbage somewhat longer. */
const mostTimes = 20;

/** Questions that come and go. */
export const manyQuestions: FaultCase = {
  name: 'questions that are opened and left',
  async run() {
    millisOf(few, 'key');
    return (['key', 'match'] as const).map((by) => {
      const times = best(many, by) / best(few, by);
      return {
        what: `time of ${thousands(many)} by ${by}, in times of ${thousands(few)}`,
        expected: `below ${mostTimes}`,
        measured: times.toFixed(1),
        holds: times < mostTimes,
        isNoisy: true,
      };
    });
  },
};

function best(count: number, by: 'key' | 'match'): number {
  return Math.min(...[1, 2, 3].map(() => millisOf(count, by)));
}

/** CPU time of opening `count` questions, and leaving them, half of them oldest first, half of them latest first. */
function millisOf(count: number, by: 'key' | 'match'): number {
  const { client, server } = connectionPair();
  server.ignoreMessages();
  const key = (message: unknown): unknown => message;
  const match = (): boolean => false;
  const before = process.cpuUsage();
  const questions = Array.from({ length: count }, (_, id) =>
    ask(client, '', by === 'key' ? { key, equals: id } : { match }).subscribe(),
  );
  const latest = questions.splice(count / 2).reverse();
  for (const question of [...questions, ...latest]) question.unsubscribe();
  const { user, system } = process.cpuUsage(before);
  client.terminate();
  return (user + system) / 1000;
}
