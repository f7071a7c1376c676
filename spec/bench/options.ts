/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { isServerName, type ServerName, serverNames } from './servers.js';

/** What a run does. */
export interface BenchOptions {
  readonly rounds: number;
  /** How long one server is measured under one load in a round, after its warm-up. */
  readonly seconds: number;
  /** Only the rows whose name, or that of their table, contains this. */
  readonly only: string;
  readonly servers: readonly ServerName[];
  /** Where to write all figures, as JSON. */
  readonly json: string | undefined;
  /** Files of `json` to report instead of measuring. */
  readonly from: readonly string[];
  /** Whether to write the tables and the chart into docs. */
  readonly docs: boolean;
  /** The row, or a part of the names of several, to show where the time goes in, instead of measuring. */
  readonly profile: string | undefined;
  /** The commit to compare this checkout with, instead of with other servers. */
  readonly before: string | undefined;
  /** How many pairs of figures, one of either build, that takes. */
  readonly pairs: number;
}

const usage = `npm run bench -- [options]
  --rounds N          rounds, the medians of which are reported (default 5)
  --seconds S         seconds for each server and load in a round, at least 0.5 (default 1)
  --only TEXT         only the rows with TEXT in their name or in that of their table, such as "32 B", "scale" or "idle"
  --servers A,B       only these servers, of ${serverNames.join(', ')}
  --json FILE         write all figures
  --from A,B          measure nothing, and report what --json wrote in one run or several
  --docs              write docs/performance.md and docs/performance.svg: after all rows are measured, in this run or in those of --from
  --profile NAME      show where the time goes in sluice under one load, such as "32 B text, 16 in flight", or in short under several, such
                      as those with "16 in flight"`;

/** The kernel schedules in milliseconds, and garbage is collected now and then: less time says nothing. */
const fewestSeconds = 0.5;

/** @throws Error that says what is wrong with `args`, and what they may be. */
export function readOptions(args: string[]): BenchOptions {
  try {
    return check(parse(args));
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
}

function parse(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      servers: { type: 'string', default: serverNames.join(',') },
      json: { type: 'string' },
      from: { type: 'string' },
      docs: { type: 'boolean', default: false },
      profile: { type: 'string' },
      before: { type: 'string' },
      pairs: { type: 'string' },
    },
  });
  return {
    rounds: Math.ceil(between('--rounds', values.rounds, 1)),
    seconds: between('--seconds', values.seconds, fewestSeconds),
    only: values.only,
    servers: values.servers.split(',').map(serverName),
    json: values.json,
    from: values.from?.split(',') ?? [],
    docs: values.docs,
    profile: values.profile,
    ...compared(values.before, values.pairs),
  };
}

/** An interval of fewer than nine pairs is wide. */
const usualPairs = '9';

function compared(before: string | undefined, pairs: string | undefined): Pick<BenchOptions, 'before' | 'pairs'> {
  if (before === undefined && pairs !== undefined) throw new Error('--pairs needs --before');
  return { before, pairs: Math.ceil(between('--pairs', pairs ?? usualPairs, 2)) };
}

function check(options: BenchOptions): BenchOptions {
  const { docs, from, only, servers, profile, json, before } = options;
  const isPart = only !== '' || servers.length < serverNames.length;
  if (docs && from.length === 0 && isPart) {
    throw new Error(
      '--docs needs every row and every server: leave out --only and --servers, or bring all parts --from files',
    );
  }
  if (from.length > 0 && (isPart || json !== undefined))
    throw new Error('--from measures nothing: it goes with --docs alone');
  if (profile !== undefined && (docs || from.length > 0 || json !== undefined)) {
    throw new Error('--profile measures nothing: it goes with --seconds alone');
  }
  if (before !== undefined && (docs || from.length > 0 || json !== undefined || profile !== undefined)) {
    throw new Error('--before goes with --pairs, --seconds and --only alone');
  }
  return options;
}

function serverName(name: string): ServerName {
  if (isServerName(name)) return name;
  throw new Error(`no server "${name}": there are ${serverNames.join(', ')}`);
}

function between(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least && value < 1000)) {
    throw new Error(`${name} is "${text}", expected a number from ${least} to less than 1000`);
  }
  return value;
}
