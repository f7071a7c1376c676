import { buildOther } from './other-build.js';

describe('the build of another commit', () => {
  it('refuses what names none, before it checks out anything', () => {
    expect(() => buildOther('no-such-branch')).toThrow('--before is "no-such-branch", which names no commit');
    expect(() => buildOther('--all')).toThrow('--before is "--all", which names no commit');
  });
});
