/** The load generators, on CPU 1: programs in C, compiled when the benchmarks start. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stopChild } from '../support/stop-child.js';
import type { Profile } from './profiles.js';
import type { RunningServer } from './servers.js';

/** What one run of a load generator saw after its warm-up. */
export interface LoadResult {
  /** Messages that came back whole; deliveries of a broadcast; handshakes. */
  readonly messages: number;
  readonly perSecond: number;
  /** User and system time of the process under test from the first to the last of them. */
  readonly cpuMicros: number;
  /** From sending a message to its complete echo. */
  readonly p50Micros: number;
  readonly p99Micros: number;
}

/** How long a load lasts, in seconds. Nothing is counted while it warms up. */
export interface LoadTimes {
  readonly warmUp: number;
  readonly seconds: number;
}

/** Opening connections takes its time, with slow servers a lot of it. */
const patienceMillis = 120_000;

/** The compiled load generators. */
export class LoadGenerator {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'sluice-bench-'));

  /** @throws Error that names the Debian package that is missing. */
  constructor() {
    process.once('exit', () => rmSync(this.#folder, { recursive: true }));
    this.#compile('wsload');
    this.#compile('wshandshake');
  }

  #compile(name: string): void {
    const args = ['-O2', '-o', join(this.#folder, name), join('spec/bench', `${name}.c`), '-lz'];
    const { error, status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
    if (error !== undefined) throw new Error('no C compiler: install the Debian packages gcc and libc6-dev');
    if (/zlib\.h|-lz\b/.test(stderr)) throw new Error('no zlib headers: install the Debian package zlib1g-dev');
    if (status !== 0) throw new Error(`cannot compile the load generator: ${stderr}`);
  }

  /** Puts `profile` on `server`. Rejects when an echo is wrong or a connection fails. */
  async run(server: RunningServer, profile: Profile, { warmUp, seconds }: LoadTimes): Promise<LoadResult> {
    const timing = ['-t', seconds, '-w', warmUp, '-P', server.pid, '-c', profile.connections].map(String);
    const timeout = Math.ceil((warmUp + seconds) * 1000) + patienceMillis;
    if (profile.does === 'handshake') return this.#report('wshandshake', [String(server.port), ...timing], timeout);
    const args = [...messagesOf(profile), ...timing];
    // The floor answers without reading, whatever comes.
    if (server.name === 'net') args.push('-n');
    if (profile.does !== 'client') return this.#report('wsload', [String(server.port), ...args], timeout);
    return this.#report('wsload', ['-S', ...args], timeout, (port) => server.dial(port, profile.connections));
  }

  /** What a program writes when it ends; `onPort` is told where it listens, if it does. */
  async #report(
    program: string,
    args: readonly string[],
    timeout: number,
    onPort?: (port: number) => void,
  ): Promise<LoadResult> {
    const lines = await output(join(this.#folder, program), args, timeout, ({ stdout }) => {
      if (onPort === undefined) return;
      createInterface(stdout!).once('line', (line) => onPort(Number(line.slice('port '.length))));
    });
    const result = JSON.parse(lines.trim().split('\n').at(-1)!) as Record<string, number>;
    return {
      messages: result.messages!,
      perSecond: result.per_s!,
      cpuMicros: result.cpu_us!,
      p50Micros: result.p50_us!,
      p99Micros: result.p99_us!,
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
    const args = ['-c', '1', join(this.#folder, 'wsload'), String(port), ...options, '-t', '600'];
    const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    await Promise.race([
      once(child.stdout, 'data'),
      exit.then(() => Promise.reject(new Error(`cannot hold connections: ${options.join(' ')}`))),
    ]);
    return () => stopChild(child);
  }
}

function messagesOf({ bytes, inFlight, kind, does, compression, perSecond }: Profile): string[] {
  return [
    ...['-s', String(bytes), '-d', String(inFlight)],
    ...(kind === 'binary' ? ['-b'] : []),
    ...(compression === undefined ? [] : ['-z']),
    ...(perSecond === undefined ? [] : ['-r', String(perSecond)]),
    ...(does === 'broadcast' ? ['-B'] : []),
  ];
}

/** Runs a program on CPU 1; resolves to what it writes, if it ends well and within `timeout` ms. */
function output(
  program: string,
  args: readonly string[],
  timeout: number,
  started: (child: ChildProcess) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('taskset', ['-c', '1', program, ...args], { timeout }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${stderr.trim() || `the load took more than ${timeout} ms`} (${args.join(' ')})`));
    });
    started(child);
  });
}
