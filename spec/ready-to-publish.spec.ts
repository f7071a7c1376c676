import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const filled = {
  version: '1.2.0',
  repository: 'github:an/owner',
  homepage: 'https://example.org',
  bugs: 'https://example.org/bugs',
};
const released = '# Changes\n\n## 1.2.0 (2026-01-31)\n';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ready-to-publish-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function check(manifest: object, changes: string): { status: number | null; said: string[] } {
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'docs/changelog.md'), changes);
  const script = resolve('.ci/ready-to-publish.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
  return { status, said: stderr.split('\n').filter((line) => line !== '') };
}

describe('the check before a publish', () => {
  it('lets a complete package pass', () => {
    expect(check(filled, released)).toEqual({ status: 0, said: [] });
  });

  it('names each field that the owner has not filled', () => {
    expect(check({ version: '1.2.0' }, released)).toEqual({
      status: 1,
      said: [
        expect.stringContaining('no "repository": npm resolves the relative links'),
        expect.stringContaining('no "homepage"'),
        expect.stringContaining('no "bugs"'),
      ],
    });
  });

  it.each(['## 1.2.0 (unreleased)', '## 1.1.0 (2026-01-31)', '## 1x2.0 (2026-01-31)', '### 1.2.0 (2026-01-31)'])(
    'asks for the date of the version in the changes: %s',
    (heading) => {
      expect(check(filled, `# Changes\n\n${heading}\n`)).toEqual({
        status: 1,
        said: ['cannot publish: docs/changelog.md has no heading "## 1.2.0 (YYYY-MM-DD)"'],
      });
    },
  );
});
