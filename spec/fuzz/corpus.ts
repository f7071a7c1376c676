/** The seeds of the fuzzing: inputs that are right, or wrong in a known way, and all that fuzzing has found. */
import { readFileSync } from 'node:fs';

/** One input, and what it is. */
export interface Seed {
  readonly name: string;
  readonly input: Buffer;
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

/**
 * The seeds in `file`, one on each line: what it is, a colon, and the input. In `.hex` that is bytes; in `.txt` latin1 with `\r`,
 * `\n`, `\t`, `\\` and `\xNN`.
 */
export function corpus(file: string): Seed[] {
  const lines = readFileSync(`spec/fuzz/corpus/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const [name = '', content = ''] = splitOnce(line);
    return { name, input: file.endsWith('.hex') ? bytesOf(content) : Buffer.from(unescaped(content), 'latin1') };
  });
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(': ');
  if (at < 0) throw new Error(`found ${JSON.stringify(line)}, a seed is "what it is: input"`);
  return [line.slice(0, at), line.slice(at + 2)];
}

function bytesOf(hex: string): Buffer {
  const digits = hex.replaceAll(' ', '');
  const bytes = Buffer.from(digits, 'hex');
  if (bytes.length * 2 !== digits.length) throw new Error(`found ${hex}, needed are pairs of hexadecimal digits`);
  return bytes;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, char: string) =>
    hex === undefined ? (escapes[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
