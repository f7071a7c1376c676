// `npm test`: all specs, several in one suite. Loading RxJS, sluice and Jest's own modules costs most of a second for each file that Jest
// runs by itself, which is more than most specs take. Within a suite each file is a `describe` with its name, so its hooks are its own.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import config from '../jest.config.js';
import { longest } from './longest.js';

/** How many files a suite has at most. */
const FILES = 14;

const folder = resolve('spec/.suites');
const specs = readdirSync('spec', { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.spec.ts'))
  .sort();
// Where a module is replaced, the file must be the first that loads it.
const isAlone = (name) =>
  longest.includes(name) ||
  /\bjest\.mock\(|\/second-copy\.js'|count-deflates/.test(readFileSync(`spec/${name}`, 'utf8'));

function suitesOf(names) {
  return [...byFolder(names).values()].flatMap((inFolder) => {
    const count = Math.ceil(inFolder.length / FILES);
    return Array.from({ length: count }, (_, index) => inFolder.filter((_name, at) => at % count === index));
  });
}

function byFolder(names) {
  const folders = new Map();
  for (const name of names) folders.set(dirname(name), [...(folders.get(dirname(name)) ?? []), name]);
  return folders;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const suite of suitesOf(specs.filter((name) => !isAlone(name)))) {
  const lines = suite.map((name) => `describe('${name}', () => void require('../${name}'));\n`);
  const name = `${suite[0].replaceAll('/', '-').replace('.spec.ts', '')}-and-${suite.length - 1}-more.suite.js`;
  writeFileSync(`${folder}/${name}`, lines.join(''));
}

/** @type {import('jest').Config} */
export default {
  ...config,
  rootDir: '..',
  testMatch: ['<rootDir>/spec/.suites/*.suite.js', ...specs.filter(isAlone).map((name) => `<rootDir>/spec/${name}`)],
  testSequencer: '<rootDir>/.ci/longest-first.js',
};
