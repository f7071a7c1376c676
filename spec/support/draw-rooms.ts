/** Writes the picture of docs/explanation/architecture.md: `npm run docs:picture`. */
import { writeFileSync } from 'node:fs';
import { roomsPicture } from './rooms-picture.js';
import { readModules } from './source-module.js';

writeFileSync('docs/explanation/architecture.svg', roomsPicture(readModules('src')));
