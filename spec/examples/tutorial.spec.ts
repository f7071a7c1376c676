/**
 * The tutorial as its reader does it: the files are those on the page, and its tables say what is typed and seen in which terminal.
 * Only the port is another one, and types are erased beforehand.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endAfterEach } from '../support/end-after-each.js';
import { erased, erasedProject } from '../support/erased.js';
import { Terminal } from '../support/terminal.js';

/** One table of the page, and the files as they are at that point. */
interface Session {
  readonly step: string;
  readonly line: number;
  readonly files: ReadonlyMap<string, string>;
  readonly rows: readonly (readonly string[])[];
}

const page = readFileSync('docs/tutorial.md', 'utf8');
const sessions = sessionsOf(page);

describe('the tutorial', () => {
  const onEnd = endAfterEach();
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'sluice-tutorial-'));
    install(project);
  });

  afterAll(() => rmSync(project, { recursive: true }));

  it('has a table for each of its steps', () => {
    const steps = [...page.matchAll(/^## (\d.*)$/gm)].map(([, step]) => step);
    expect(steps).toHaveLength(9);
    expect([...new Set(sessions.map(({ step }) => step))]).toEqual(steps);
  });

  it.each(sessions)('shows what happens in step $step, in line $line', async ({ files, rows }) => {
    const port = String(await freePort());
    const folder = mkdtempSync(join(project, 'step-'));
    for (const [name, text] of files) {
      writeFileSync(join(folder, name.replace('.ts', '.mjs')), erased(text.replaceAll('8080', port), 'ESNext'));
    }

    const columns = rows[0]!.map(() => {
      const terminal = new Terminal(folder);
      onEnd(() => terminal.kill());
      return new Column(terminal);
    });
    for (const row of rows) {
      const cells = row.map((cell) => cell.replaceAll('8080', port));
      for (const [index, cell] of cells.entries()) columns[index]!.act(cell);
      for (const [index, cell] of cells.entries()) await columns[index]!.see(cell);
    }
    expect(columns.flatMap((column) => column.unread())).toEqual([]);
  });
});

/** One column of a table, at its terminal. */
class Column {
  readonly #terminal: Terminal;
  /** After `...`, which stands for any lines. */
  #isSkipping = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Does what the reader does. */
  act(cell: string): void {
    if (cell === '^C') this.#terminal.signal('SIGINT');
    else if (cell === '^D') this.#terminal.endInput();
    else if (cell === '^Z') this.#terminal.signal('SIGSTOP');
    else if (cell === '$ fg') this.#terminal.signal('SIGCONT');
    else if (cell.startsWith('$ ')) this.#terminal.run(cell.slice(2));
    else if (cell.startsWith('> ')) this.#terminal.type(cell.slice(2));
  }

  /** Waits for what the reader sees, and fails when it is something else. */
  async see(cell: string): Promise<void> {
    if (cell === '' || /^\^[CDZ]$|^[$>] /.test(cell)) return;
    if (cell === '...') this.#isSkipping = true;
    else if (cell === '$') await this.#seeEnd();
    else await this.#seeLine(cell);
  }

  /** What nobody has read, unless it may be anything. */
  unread(): string[] {
    const lines = this.#terminal.unread();
    return this.#isSkipping ? [] : lines;
  }

  async #seeEnd(): Promise<void> {
    await this.#terminal.ended();
    expect(this.unread()).toEqual([]);
    this.#isSkipping = false;
  }

  async #seeLine(cell: string): Promise<void> {
    let line = await this.#terminal.line();
    while (this.#isSkipping && line !== cell) line = await this.#terminal.line();
    expect(line).toBe(cell);
    this.#isSkipping = false;
  }
}

/** Reads the page from top to bottom: a block that begins with the name of a file replaces that file, a table is a session. */
function sessionsOf(text: string): Session[] {
  const files = new Map<string, string>();
  const found: Session[] = [];
  let step = '';
  for (const part of text.matchAll(/^## (.*)$|^```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)^```$|(?:^\|.*\n)+/gm)) {
    const [all, heading, name, source] = part;
    if (heading !== undefined) step = heading;
    else if (name !== undefined) files.set(name, source!);
    else found.push({ step, line: lineAt(text, part.index), files: new Map(files), rows: rowsOf(all) });
  }
  return found;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The cells of a table, without its head and without the marks of code. */
function rowsOf(table: string): string[][] {
  const lines = table.trimEnd().split('\n').slice(2);
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** Makes what `npm install` makes in a project: sluice from the sources, and RxJS. */
function install(project: string): void {
  symlinkSync(join(erasedProject(), 'node_modules'), join(project, 'node_modules'));
  writeFileSync(join(project, 'package.json'), '{ "name": "chat" }');
}

/** A port that is free, below those that the system gives to others. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false)).listen(port, () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}
