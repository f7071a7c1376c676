// Starts the specs that take longest first, also where Jest knows no durations, as in a fresh clone.
import jestSequencer from '@jest/test-sequencer';
import { longest } from './longest.js';

const Sequencer = jestSequencer.default ?? jestSequencer;

function rank({ path }) {
  const index = longest.findIndex((name) => path.replaceAll('\\', '/').endsWith(`/spec/${name}`));
  return index === -1 ? longest.length : index;
}

export default class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
