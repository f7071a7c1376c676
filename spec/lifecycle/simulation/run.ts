/** `npm run simulate`: runs schedules of the simulation, and prints each that breaks a rule, cut down, with its seed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { redirectMistakes } from '../../../src/base/mistake.js';
import { scheduleOf } from './schedule.js';
import { shrunk } from './shrink.js';
import { violationsOf } from './trial.js';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failures: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

/** Runs `count` schedules from the seed `first` on, until so many failed. Returns how many did. */
function run(first: number, count: number, most: number): number {
  let failures = 0;
  const began = process.cpuUsage();
  let seed = first;
  for (; seed < first + count && failures < most; seed++) {
    const schedule = scheduleOf(seed);
    if (violationsOf(schedule).length === 0) continue;
    failures++;
    const { steps, ...settings } = shrunk(schedule, violationsOf);
    console.log(`seed ${seed} breaks the rules: npm run simulate -- --seed ${seed}`);
    console.log(`${schedule.steps.length} steps, of which these are enough, with ${JSON.stringify(settings)}:`);
    for (const [index, step] of steps.entries()) console.log(`  ${index}: ${JSON.stringify(step)}`);
    for (const violation of violationsOf({ steps, ...settings })) console.log(`  -> ${violation}`);
  }
  const { user, system } = process.cpuUsage(began);
  const seconds = ((user + system) / 1e6).toFixed(1);
  console.log(`${seed - first} schedules from seed ${first}: ${failures} broke the rules, ${seconds} s of CPU`);
  return failures;
}

/** Shares them among processes of their own. Returns how many of these found something. */
async function share(first: number, count: number, workers: number): Promise<number> {
  const each = Math.ceil(count / workers);
  const codes = Array.from({ length: workers }, async (_, index) => {
    const from = first + index * each;
    const schedules = Math.min(each, first + count - from);
    const range = ['--from', String(from), '--schedules', String(schedules), '--failures', values.failures];
    const worker = fork(fileURLToPath(import.meta.url), [...range, '--workers', '1']);
    const [code] = (await once(worker, 'exit')) as [number | null];
    return code;
  });
  return (await Promise.all(codes)).filter((code) => code !== 0).length;
}

// The applications of the schedules make mistakes on purpose.
redirectMistakes(() => {});

const isOne = values.seed !== undefined;
const first = Number(values.seed ?? values.from);
const count = isOne ? 1 : Number(values.schedules);
const workers = isOne ? 1 : Number(values.workers);
const failures = workers > 1 ? await share(first, count, workers) : run(first, count, Number(values.failures));
process.exitCode = failures === 0 ? 0 : 1;
