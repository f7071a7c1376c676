/**
 * The documentation against the code: links, snippets and names.
 *
 * A block fenced as `ts` is a module of its own, checked against the sources. It may use what {@link CONTEXT} declares without
 * declaring it; docs/README.md tells the reader so. A block that must not compile has `@ts-expect-error` where it does not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import ts from 'typescript';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.md'))
    .sort(),
].map((path) => ({ path, text: readFileSync(path, 'utf8') }));

const CONTEXT = `
import type { Connection } from 'sluice';
declare global {
  /** A connection that is open. */
  const conn: Connection;
  /** Another one. */
  const other: Connection;
  /** Something that takes its time. */
  function save(value: unknown): Promise<void>;
}
`;

interface Snippet {
  /** Page and line. */
  readonly where: string;
  readonly file: string;
  readonly text: string;
}

describe('links', () => {
  it('lead to a file, and to a heading in it', () => {
    expect(pages.flatMap(({ path, text }) => brokenLinks(path, text))).toEqual([]);
  });

  it('lead from the index to every page', () => {
    const index = pages.find(({ path }) => path === 'docs/README.md')!;
    const linked = linksOf(index.text).map((link) => posix.join('docs', link.split('#')[0]!));
    const others = pages.map(({ path }) => path).filter((path) => path !== 'README.md' && path !== index.path);
    expect(others.filter((path) => !linked.includes(path))).toEqual([]);
  });
});

describe('commands', () => {
  it('run scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = pages.flatMap(({ text }) => [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script]) => script!));
    expect(named).toContain('bench');
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });
});

describe('snippets', () => {
  it('have the type of module that is checked', () => {
    const fences = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/^```(\w+)$/gm)].map(([, language]) => `${path}: ${language}`),
    );
    expect(fences.filter((fence) => !/: (ts|sh|text|json)$/.test(fence))).toEqual([]);
  });

  it('type-check against the sources', () => {
    const snippets = pages.flatMap(({ path, text }) => snippetsOf(path, text));
    expect(snippets.length).toBeGreaterThan(20);
    expect(compile(snippets)).toEqual([]);
  });
});

describe('reference', () => {
  const program = ts.createProgram(['src/index.ts'], compilerOptions());
  const checker = program.getTypeChecker();
  const entry = checker.getSymbolAtLocation(program.getSourceFile('src/index.ts')!)!;
  const exported = checker.getExportsOfModule(entry);
  const reference = pages.filter(({ path }) => path.startsWith('docs/reference/'));

  it('names everything that is exported', () => {
    const names = exported.map(({ name }) => name);
    expect(names).toContain('serve');
    expect(names.filter((name) => !reference.some(({ text }) => mentions(text, name)))).toEqual([]);
  });

  it('describes every option in a table', () => {
    const page = textOf('docs/reference/options.md') + textOf('docs/reference/operators.md');
    const options = exported.filter(({ name }) => name.endsWith('Options')).flatMap(optionsOf);
    expect(options).toEqual(expect.arrayContaining(['maxPayload', 'rejectUnauthorized', 'concurrency', 'jitter']));
    expect(options.filter((name) => !page.includes(`\n| \`${name}\``))).toEqual([]);
  });

  it('describes every member of a connection and of a server', () => {
    const page = textOf('docs/reference/connection.md');
    for (const name of ['Connection', 'WebSocketServer', 'SendSubject', 'CloseInfo', 'ConnectionStats']) {
      expect({ name, missing: ownMembers(name).filter((member) => !page.includes(`| \`${member}`)) }).toEqual({
        name,
        missing: [],
      });
    }
  });

  it('lists every literal code of an error', () => {
    const page = textOf('docs/reference/errors.md');
    const codes = ['ProtocolErrorCode', 'HandshakeErrorCode', 'UsageErrorCode'].flatMap(literalsOf);
    const others = [...sourceText('src/protocol/errors.ts').matchAll(/super\('([A-Z_]+)'/g)].map(([, code]) => code!);
    const timers = [...sourceText('src').matchAll(/new WebSocketError\('([A-Z_]+)'/g)].map(([, code]) => code!);
    const all = [...codes, ...others, ...timers];
    expect(all).toEqual(expect.arrayContaining(['RESERVED_BIT', 'BUFFER_FULL', 'HEARTBEAT_TIMEOUT']));
    expect(all.filter((code) => !page.includes(`\n| \`${code}\``))).toEqual([]);
  });

  it('lists every error class and every close code', () => {
    const errors = textOf('docs/reference/errors.md');
    const classes = exported.map(({ name }) => name).filter((name) => name.endsWith('Error'));
    expect(classes.filter((name) => !errors.includes(`\n## \`${name}\``) && !name.startsWith('is'))).toEqual([]);
    const codes = [...sourceText('src/protocol/message/close-code.ts').matchAll(/^ {2}\w+: (\d{4}),$/gm)].map(
      ([, code]) => code!,
    );
    expect(codes).toHaveLength(15);
    expect(codes.filter((code) => !textOf('docs/reference/close-codes.md').includes(`\n| ${code}`))).toEqual([]);
  });

  it('lists every channel of the diagnostics', () => {
    const channels = [...sourceText('src/net/diagnostics.ts').matchAll(/channel\('([\w:-]+)'\)/g)].map(
      ([, name]) => name!,
    );
    expect(channels).toContain('sluice:open');
    expect(channels.filter((name) => !textOf('docs/reference/diagnostics.md').includes(`\n| \`${name}\``))).toEqual([]);
  });

  function optionsOf(symbol: ts.Symbol): string[] {
    return checker
      .getDeclaredTypeOfSymbol(resolved(symbol))
      .getProperties()
      .map(({ name }) => name);
  }

  function ownMembers(name: string): string[] {
    const symbol = resolved(exported.find((candidate) => candidate.name === name)!);
    return (symbol.declarations ?? [])
      .flatMap((declaration) => [...(declaration as ts.ClassDeclaration | ts.InterfaceDeclaration).members])
      .filter((member) => member.name !== undefined && ts.isIdentifier(member.name))
      .filter((member) => !/@internal/.test(member.getFullText()))
      .map((member) => (member.name as ts.Identifier).text);
  }

  function literalsOf(name: string): string[] {
    const type = checker.getDeclaredTypeOfSymbol(resolved(exported.find((candidate) => candidate.name === name)!));
    return (type as ts.UnionType).types.map((literal) => (literal as ts.StringLiteralType).value);
  }

  function resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }
});

function textOf(path: string): string {
  return pages.find((page) => page.path === path)!.text;
}

function sourceText(path: string): string {
  if (path.endsWith('.ts')) return readFileSync(path, 'utf8');
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(posix.join(path, name), 'utf8'))
    .join('\n');
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`\`[^\`\n]*\\b${name}\\b[^\`\n]*\``).test(text);
}

/** What stands in the parentheses of links, outside of code. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '``');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
}

function brokenLinks(path: string, text: string): string[] {
  return linksOf(text)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file, anchor] = link.split('#');
      const target = file === '' ? path : posix.join(posix.dirname(path), file!);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
    })
    .map((link) => `${path}: ${link}`);
}

/** The anchors of headings: lower case, without punctuation, with hyphens for spaces. */
function anchorsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function snippetsOf(path: string, text: string): Snippet[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    const file = resolve(`spec/snippet-${path.replaceAll(/\W/g, '-')}-${line}.ts`);
    return { where: `${path}:${line}`, file, text: `${match[1]}\nexport {};\n` };
  });
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, process.cwd());
  return { ...options, noUnusedLocals: false, noUnusedParameters: false, types: ['node'] };
}

/** Compiles all snippets in one program, and says what is wrong with each. */
function compile(snippets: readonly Snippet[]): string[] {
  const context = resolve('spec/snippet-context.ts');
  const virtual = new Map([[context, CONTEXT], ...snippets.map(({ file, text }) => [file, text] as const)]);
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const read = host.readFile.bind(host);
  const exists = host.fileExists.bind(host);
  host.readFile = (path) => virtual.get(resolve(path)) ?? read(path);
  host.fileExists = (path) => virtual.has(resolve(path)) || exists(path);
  const program = ts.createProgram([...virtual.keys()], options, host);
  return [...virtual.keys()].flatMap((file) => {
    const source = program.getSourceFile(file)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const snippet = snippets.find((candidate) => candidate.file === file);
      const { line } = source.getLineAndCharacterOfPosition(start);
      return `${snippet?.where ?? 'context'} +${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
