/** Specs make many mistakes on purpose: those that look at what is printed ask for it with `redirectMistakes(undefined)`. */
import { redirectMistakes } from '../../src/base/mistake.js';

beforeEach(() => redirectMistakes(() => {}));
