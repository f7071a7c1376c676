/** `npm run simulate`: runs schedules of the simulation, and prints each that breaks a rule, cut down, with its seed. */
import { parseArgs } from 'node:util';
import { scheduleOf } from './schedule.js';
import { shrunk } from './shrink.js';
import { violationsOf } from './trial.js';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    failures: { type: 'string', default: '1' },
  },
});
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.schedules) : 1;
let failures = 0;
const began = process.cpuUsage();
for (let seed = first; seed < first + count && failures < Number(values.failures); seed++) {
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
console.log(
  `${count} schedules from seed ${first}: ${failures} broke the rules, ${((user + system) / 1e6).toFixed(1)} s of CPU`,
);
process.exitCode = failures === 0 ? 0 : 1;
