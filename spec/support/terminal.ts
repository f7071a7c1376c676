/** A terminal as a reader of the tutorial uses it: runs one program at a time, types, and sees what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { stopChild } from './stop-child.js';

export class Terminal {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #unread: string[] = [];
  #rest = '';
  #hasEnded = false;
  #wake: () => void = () => {};

  /** @param folder where the programs are, as modules without types: `server.mjs` for `server.ts`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs `npx tsx program.ts arguments`, but for the types, that are erased already: `tsx` takes three times as long to start. */
  run(command: string): void {
    const [, name, args = ''] = /^npx tsx (\w+)\.ts( .+)?$/.exec(command) ?? [];
    if (name === undefined) throw new Error(`expected npx tsx program.ts, got ${command}`);
    const child = spawn(process.execPath, [`${name}.mjs`, ...args.split(' ').slice(1)], { cwd: this.#folder });
    this.#child = child;
    this.#unread = [];
    this.#hasEnded = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#print(text));
    }
    // What is typed to a program that has ended is lost, as it is in a terminal.
    child.stdin.on('error', () => {});
    child.on('close', () => {
      this.#hasEnded = true;
      this.#wake();
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
    while (this.#unread.length === 0 && !this.#hasEnded) await this.#news();
    const line = this.#unread.shift();
    if (line === undefined) throw new Error('the program ended without another line');
    return line;
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    while (!this.#hasEnded) await this.#news();
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
    this.#wake();
  }

  /** Waits until something is printed, or the program ends. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
