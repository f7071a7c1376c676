/** The page that says where each promise is proved: what it names is there. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const PAGE = 'docs/explanation/promises.md';

/** A name in quotation marks, and the file that is linked to before it. */
interface Citation {
  readonly file: string;
  readonly name: string;
}

const page = readFileSync(PAGE, 'utf8');
const sections = new Map(
  [...page.matchAll(/^## (.*)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(([, heading, text]) => [heading!, text!]),
);

describe('the page of promises', () => {
  it('has a section for each promise of the README', () => {
    const [, promises] = /^## Four promises\n([\s\S]*?)^## /m.exec(readFileSync('README.md', 'utf8'))!;
    const names = [...promises!.matchAll(/^(\d\. )\*\*(.*)\.\*\*/gm)].map(([, number, name]) => number! + name!);
    expect(names).toHaveLength(4);
    expect([...sections.keys()].slice(0, 4)).toEqual(names);
  });

  it.each([...sections])('names what exists: %s', (_, text) => {
    const files = [...text.matchAll(/\]\((\.\.\/[^)#]+)/g)].map(([, link]) => pathOf(link!));
    expect(files).not.toEqual([]);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const missing = citationsOf(text).filter(({ file, name }) => !readFileSync(file, 'utf8').includes(name));
    expect(missing).toEqual([]);
  });

  it('names tests and cases in every section', () => {
    expect([...sections.values()].map((text) => citationsOf(text).length > 0)).not.toContain(false);
  });

  it('proves each promise by something that runs', () => {
    const rows = [...page.matchAll(/^\| (?!Promise|Claim)([^|-][^|]*)\|(.*)\|$/gm)];
    expect(rows.length).toBeGreaterThan(20);
    const unproved = rows.filter(([, , proof]) => !/\.\.\/(spec|\.ci)\/|npm run|\.\.\/performance/.test(proof!));
    expect(unproved.map(([, promise]) => promise)).toEqual([]);
  });
});

/** Each name belongs to the file that is linked to last before it. */
function citationsOf(text: string): Citation[] {
  let file = '';
  const found: Citation[] = [];
  for (const [, link, name] of text.matchAll(/\]\((\.\.\/[^)#]+)[^)]*\)|"([^"\n]+)"/g)) {
    if (link !== undefined) file = pathOf(link);
    else found.push({ file, name: name! });
  }
  return found;
}

function pathOf(link: string): string {
  return posix.join(posix.dirname(PAGE), link);
}
