/** Examples as a user runs them, but for their types: child processes, and what they print. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { erasedProject } from './erased.js';

/** One running example. */
export class Example {
  /** All lines of its standard output so far. */
  readonly lines: string[] = [];
  /** Its standard error so far. */
  errors = '';
  readonly #child: ChildProcess;
  readonly #over: Promise<unknown>;
  #isOver = false;
  #rest = '';
  #wake: () => void = () => {};

  /** @param name of the file in `examples`, without its extension. */
  constructor(name: string, { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {}) {
    const command = [join(erasedProject(), `examples/${name}.js`), ...args];
    this.#child = spawn(process.execPath, command, { env: { ...process.env, PORT: '0', ...env } });
    this.#over = once(this.#child, 'close').finally(() => {
      this.#isOver = true;
      this.#wake();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#print(text));
  }

  /** Waits for the line that matches `pattern`, and gives its first group. @throws when the process ends without it. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      for (const line of this.lines) {
        const match = pattern.exec(line);
        if (match !== null) return match[1] ?? line;
      }
      if (this.#isOver) throw new Error(`ended without ${pattern}: ${this.lines.join('\n')}\n${this.errors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The URL in the line that says that it listens. */
  async url(): Promise<string> {
    return (await this.line(/listening on (\S+)$/)).replace('localhost', '127.0.0.1');
  }

  /** Types a line. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end: the exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#over;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** Ends it, whatever it does, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.#child.kill('SIGKILL');
    await this.#over;
  }

  #print(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    this.lines.push(...parts);
    this.#wake();
  }
}
