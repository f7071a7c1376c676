import * as fc from 'fast-check';
import { isLong } from '../support/long.js';
import { guardProcess } from '../support/process-guard.js';
import { corpus } from './corpus.js';
import { handshakeErrors, protocolErrors, refusals } from './documented.js';
import { inputs } from './mutations.js';
import { type Target, targets } from './targets.js';

guardProcess();

describe.each(targets.map((target) => [target.name, target] as const))('of %s', (_, target: Target) => {
  it.each(corpus(target.corpus).map(({ name, input }) => [name, input] as const))(
    'a seed has a documented outcome: %s',
    (_name, input) => {
      expect(target.run(Buffer.from(input))).not.toBe('');
    },
  );

  it('any input has a documented outcome, and no other outcome the second time', () => {
    fc.assert(
      fc.property(inputs(target), (input) => {
        const outcome = target.run(Buffer.from(input));
        return target.run(Buffer.from(input)) === outcome;
      }),
      { numRuns: isLong ? 5_000 : 500 },
    );
  });

  it('the seeds lead to more than one outcome', () => {
    const outcomes = new Set(corpus(target.corpus).map(({ input }) => target.run(Buffer.from(input))));
    expect(outcomes.size).toBeGreaterThan(1);
  });
});

describe('what is documented', () => {
  it('is found in the pages', () => {
    expect([protocolErrors.get('MESSAGE_TOO_LONG'), protocolErrors.get('LENGTH_TOO_LARGE')]).toEqual([
      [1009],
      [1002, 1009],
    ]);
    expect(handshakeErrors).toContain('ACCEPT_INVALID');
    expect(refusals).toContain(426);
  });
});
