/** The command line of the matrix. */
import { parseArgs } from 'node:util';

/** What a run does. */
export interface PeerOptions {
  /** Only the rows whose peer and role contain this. */
  readonly only: string;
  /** Whether to write the table into the documentation. */
  readonly docs: boolean;
}

const usage = `npm run peers -- [options]
  --only TEXT    only the rows whose peer and role contain TEXT: tornado, 'ws client'
  --docs         write the table into docs/reference/peers.md; not with --only`;

/** @throws Error that says what is wrong with `args`, and what they may be. */
export function readOptions(args: string[]): PeerOptions {
  try {
    const { values } = parseArgs({
      args,
      options: { only: { type: 'string', default: '' }, docs: { type: 'boolean', default: false } },
    });
    if (values.docs && values.only !== '') throw new Error('--docs needs every row: leave out --only');
    return values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}
