/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // src too, so that a file that no spec loads counts as uncovered.
  roots: ['<rootDir>/spec', '<rootDir>/src'],
  testMatch: ['**/*.spec.ts'],
  setupFilesAfterEnv: ['<rootDir>/spec/support/buffer-equality.ts', '<rootDir>/spec/support/quiet.ts'],
  moduleNameMapper: {
    '^sluice$': '<rootDir>/src/index.ts',
    '^sluice/operators$': '<rootDir>/src/operators.ts',
    '^sluice/testing$': '<rootDir>/src/testing.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          target: 'ES2022',
          lib: ['ES2023', 'ESNext.Disposable'],
          module: 'CommonJS',
          moduleResolution: 'Bundler',
          isolatedModules: true,
          esModuleInterop: true,
          sourceMap: true,
        },
      },
    ],
  },
  maxWorkers: '100%',
  // No spec comes near it where nothing is wrong: a machine that others use may be many times slower.
  testTimeout: 120_000,
  // `npm test` measures all of src; what is not covered to the full is listed.
  collectCoverageFrom: ['src/**/*.ts'],
  coverageReporters: [['text', { skipFull: true, maxCols: 160 }]],
  coverageThreshold: {
    './src/protocol/': { branches: 100 },
    './src/base/': { branches: 95 },
    './src/connection/': { branches: 95 },
    './src/operators/': { branches: 95 },
    './src/channel/': { branches: 95 },
    './src/net/': { branches: 95 },
    './src/server/': { branches: 95 },
    './src/client/': { branches: 95 },
    './src/testing/': { branches: 95 },
    // Of what stands beside these folders.
    global: { branches: 95 },
  },
};
