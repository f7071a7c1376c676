/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { isServerName, type ServerName, serverNames } from './servers.js';

/** What a run does. */
export interface BenchOptions {
  readonly rounds: number;
  /** How long one server is measured under one load, after half a second of warming up. */
  readonly seconds: number;
  /** Only the profiles whose name contains this; `idle`, `compressed memory` and `compressed bomb` are those of the memory. */
  readonly only: string;
  readonly servers: readonly ServerName[];
  /** Where to write all figures, as JSON. */
  readonly json: string | undefined;
  /** Whether to write the tables into docs/performance.md. */
  readonly docs: boolean;
}

const usage = `npm run bench -- [options]
  --rounds N          rounds, the medians of which are reported (default 3)
  --seconds S         seconds for each server and load in a round (default 2)
  --only TEXT         only the loads whose name contains TEXT; "idle" is memory per idle connection, "compressed" all with compression
  --servers A,B       only these servers, of ${serverNames.join(', ')}
  --json FILE         write all figures
  --docs              write the tables into docs/performance.md; not with --only or --servers`;

/** @throws Error that says what is wrong with `args`, and what they may be. */
export function readOptions(args: string[]): BenchOptions {
  try {
    return parse(args);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}

function parse(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      servers: { type: 'string', default: serverNames.join(',') },
      json: { type: 'string' },
      docs: { type: 'boolean', default: false },
    },
  });
  const servers = values.servers.split(',');
  const unknown = servers.find((name) => !isServerName(name));
  if (unknown !== undefined) throw new Error(`no server "${unknown}": there are ${serverNames.join(', ')}`);
  if (values.docs && (values.only !== '' || servers.length < serverNames.length)) {
    throw new Error('--docs needs every load and every server: leave out --only and --servers');
  }
  return {
    rounds: Math.ceil(positive('--rounds', values.rounds)),
    seconds: positive('--seconds', values.seconds),
    only: values.only,
    servers: servers.filter(isServerName),
    json: values.json,
    docs: values.docs,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1000)) throw new Error(`${name} is "${text}", expected a number above 0 and below 1000`);
  return value;
}
