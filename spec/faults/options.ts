/** The command line of the fault cases. */
import { parseArgs } from 'node:util';
import type { Scale } from './fault-case.js';

/** What a run does. */
export interface FaultOptions {
  readonly scale: Scale;
  /** Only the cases whose name contains this. */
  readonly only: string;
  /** Whether to write the rows of these cases into the table of the documentation. */
  readonly docs: boolean;
}

const usage = `npm run faults -- [options]
  --short        less of each, for every change
  --only TEXT    only the cases whose name contains TEXT
  --docs         write what was measured into the table of docs/explanation/hostile-peers.md; not with --short`;

/** @throws Error that says what is wrong with `args`, and what they may be. */
export function readOptions(args: string[]): FaultOptions {
  try {
    return parse(args);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}

function parse(args: string[]): FaultOptions {
  const { values } = parseArgs({
    args,
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      docs: { type: 'boolean', default: false },
    },
  });
  if (values.docs && values.short) throw new Error('--docs needs cases in full: leave out --short');
  return { scale: values.short ? 'short' : 'full', only: values.only, docs: values.docs };
}
