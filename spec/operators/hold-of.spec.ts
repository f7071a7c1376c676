import { NEVER, of } from 'rxjs';
import { UsageError } from 'sluice';
import { holdOf } from '../../src/operators/hold-of.js';
import { Holdable } from '../support/holdable.js';

describe('holdOf', () => {
  it('holds a source by what it carries under the registered symbol', () => {
    const source = new Holdable(NEVER);
    const hold = holdOf('gate', source, undefined)();
    expect(source.isHeld).toBe(true);
    hold.unsubscribe();
    expect(source.isHeld).toBe(false);
  });

  it('holds what is named instead, whatever the source carries', () => {
    const source = new Holdable(NEVER);
    const named = new Holdable(NEVER);
    holdOf('gate', source, named)();
    expect([source.isHeld, named.isHeld]).toEqual([false, true]);
  });

  it('takes a hold at each call', () => {
    const source = new Holdable(NEVER);
    const takeHold = holdOf('gate', source, undefined);
    const first = takeHold();
    takeHold();
    first.unsubscribe();
    expect(source.isHeld).toBe(true);
  });

  it('throws NOT_HOLDABLE that names the operator and the way out when there is neither', () => {
    const attempt = (): unknown => holdOf('demandMap', of(1), undefined);
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(
      'demandMap needs a source that can be held: the messages$ of a connection, or any source with { on: connection }',
    );
    expect(attempt).toThrow(expect.objectContaining({ code: 'NOT_HOLDABLE' }));
  });
});
