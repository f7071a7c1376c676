/** A copy of sluice beside that of the spec, as the ESM and the CommonJS build are in one process. */
export function secondCopy(): typeof import('sluice') {
  let copy: typeof import('sluice') | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual('sluice');
  });
  return copy as typeof import('sluice');
}
