/** A terminal as a reader of the tutorial uses it: runs one program at a time, types, and sees what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { stopChild } from './stop-child.js';
import { until } from './until.js';

export class Terminal {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #unread: string[] = [];
  #rest = '';
  #hasEnded = false;

  /** @param folder where the programs are, beside a `node_modules`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs `npx tsx program.ts arguments`, over the sources of this checkout. */
  run(command: string): void {
    const [npx, tsx, ...program] = command.split(' ');
    if (npx !== 'npx' || tsx !== 'tsx') throw new Error(`expected npx tsx program.ts, got ${command}`);
    const env = { ...process.env, TSX_TSCONFIG_PATH: resolve('tsconfig.json') };
    const child = spawn(process.execPath, ['--import', 'tsx', ...program], { cwd: this.#folder, env });
    this.#child = child;
    this.#unread = [];
    this.#hasEnded = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#print(text));
    }
    child.on('close', () => {
      this.#hasEnded = true;
    });
  }

  type(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#child?.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Waits for the next line. @throws when the program ends without it. */
  async line(): Promise<string> {
    await until(() => this.#unread.length > 0 || this.#hasEnded);
    const line = this.#unread.shift();
    if (line === undefined) throw new Error('the program ended without another line');
    return line;
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    await until(() => this.#hasEnded);
  }

  /** All lines that it has printed and that nothing has read. */
  unread(): string[] {
    return this.#unread.splice(0);
  }

  async kill(): Promise<void> {
    if (this.#child !== undefined) await stopChild(this.#child);
  }

  #print(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    this.#unread.push(...parts);
  }
}
