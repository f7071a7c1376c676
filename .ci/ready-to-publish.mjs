// Ends non-zero unless what `npm publish` is about to show is complete. npm runs it before each publish; the working directory is the package.
import { readFileSync } from 'node:fs';

const { version, ...fields } = JSON.parse(readFileSync('package.json', 'utf8'));
const changes = readFileSync('docs/changelog.md', 'utf8');
const released = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm');

const uses = {
  repository: 'npm resolves the relative links of README.md with it',
  homepage: 'npm shows it',
  bugs: 'npm shows it',
};

const missing = Object.entries(uses)
  .filter(([field]) => !fields[field])
  .map(([field, use]) => `package.json has no "${field}": ${use}`);
if (!released.test(changes)) missing.push(`docs/changelog.md has no heading "## ${version} (YYYY-MM-DD)"`);

for (const each of missing) console.error(`cannot publish: ${each}`);
process.exitCode = missing.length === 0 ? 0 : 1;
