// `npm run test:long`: the specs that leave a part out of `npm test`, with all they have. CI runs it.
import { readdirSync, readFileSync } from 'node:fs';
import config from '../jest.config.js';

process.env.SLUICE_LONG_TESTS = '1';

const specs = readdirSync('spec', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.spec.ts'));

/** @type {import('jest').Config} */
export default {
  ...config,
  rootDir: '..',
  roots: ['<rootDir>/spec'],
  testTimeout: 600_000,
  testMatch: specs
    .filter((name) => /\/support\/long\.js'|\bitSees\(|\bconversations\(/.test(readFileSync(`spec/${name}`, 'utf8')))
    .map((name) => `<rootDir>/spec/${name.replaceAll('\\', '/')}`),
};
