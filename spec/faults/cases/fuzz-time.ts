/** Inputs that are wrong in all ways: no single one takes long. */
import { slowestOf } from '../../fuzz/slowest.js';
import { costlyTargets } from '../../fuzz/targets.js';
import { type FaultCase, timeAtMost } from '../fault-case.js';

const counts = { short: 300, full: 3_000 };

/** Another one in each run. */
const SEED = Date.now() % 2 ** 31;

export const fuzzTime: FaultCase = {
  name: 'inputs that are wrong in all ways',
  async run(scale) {
    return costlyTargets.map((target) => {
      const { millis, count, input } = slowestOf(target, counts[scale], SEED);
      return timeAtMost(`the slowest of ${count} ${target.name} (${input.length} B)`, 50, millis);
    });
  },
};
