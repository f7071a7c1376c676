/** The load generator, on CPU 1: `wsload.c`, compiled when the benchmarks start. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EchoProfile } from './profiles.js';

/** What one run of the load generator saw. */
export interface LoadResult {
  /** Messages echoed, those of the warm-up included. */
  readonly total: number;
  readonly perSecond: number;
  /** From sending a message to its complete echo. */
  readonly p50Micros: number;
  readonly p99Micros: number;
}

const warmUpSeconds = 0.5;

/** The compiled load generator. */
export class LoadGenerator {
  readonly #program: string;

  /** @throws Error that names the Debian package that is missing. */
  constructor() {
    this.#program = join(mkdtempSync(join(tmpdir(), 'sluice-bench-')), 'wsload');
    const source = join(import.meta.dirname, 'wsload.c');
    const { error, status, stderr } = spawnSync('cc', ['-O2', '-o', this.#program, source, '-lz'], {
      encoding: 'utf8',
    });
    if (error !== undefined) throw new Error('no C compiler: install the Debian packages gcc and libc6-dev');
    if (/zlib\.h|-lz\b/.test(stderr)) throw new Error('no zlib headers: install the Debian package zlib1g-dev');
    if (status !== 0) throw new Error(`cannot compile the load generator: ${stderr}`);
  }

  /** Keeps `inFlight` messages under way on each connection for `seconds`. Rejects when an echo is wrong or a connection fails. */
  async echo(port: number, profile: EchoProfile, seconds: number): Promise<LoadResult> {
    return this.#run(port, profile, ['-t', seconds, '-w', warmUpSeconds]);
  }

  /** Keeps `inFlight` messages of one connection under way to all. Counts deliveries. Rejects as {@link echo}. */
  async broadcast(
    port: number,
    profile: EchoProfile,
    times: { readonly seconds: number; readonly warmUpSeconds: number },
  ): Promise<LoadResult> {
    return this.#run(port, profile, ['-t', times.seconds, '-w', times.warmUpSeconds, '-B']);
  }

  async #run(port: number, profile: EchoProfile, options: (string | number)[]): Promise<LoadResult> {
    const { connections, bytes, inFlight, kind, compression } = profile;
    const args = ['-c', connections, '-s', bytes, '-d', inFlight, ...options].map(String);
    if (kind === 'binary') args.push('-b');
    if (compression !== undefined) args.push('-z');
    const { stdout } = await promisify(execFile)('taskset', ['-c', '1', this.#program, String(port), ...args]);
    const result = JSON.parse(stdout) as { total: number; msgs_per_s: number; p50_us: number; p99_us: number };
    return {
      total: result.total,
      perSecond: result.msgs_per_s,
      p50Micros: result.p50_us,
      p99Micros: result.p99_us,
    };
  }

  /** Opens connections and sends nothing on them. Resolves, once all are open, to the function that cuts them. */
  async hold(port: number, connections: number): Promise<() => Promise<void>> {
    return this.#open(port, ['-c', String(connections), '-d', '0']);
  }

  /** Opens connections, and sends one compressed message on each. Resolves, once all are echoed, to the function that cuts them. */
  async echoOnce(port: number, connections: number, bytes: number): Promise<() => Promise<void>> {
    return this.#open(port, ['-c', String(connections), '-d', '1', '-s', String(bytes), '-z', '-1']);
  }

  async #open(port: number, options: readonly string[]): Promise<() => Promise<void>> {
    const args = [String(port), ...options, '-t', '600'];
    const child = spawn('taskset', ['-c', '1', this.#program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    await Promise.race([
      once(child.stdout, 'data'),
      exit.then(() => Promise.reject(new Error(`cannot hold connections: ${options.join(' ')}`))),
    ]);
    return async () => {
      child.kill('SIGKILL');
      await exit;
    };
  }
}
