/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/spec'],
  testMatch: ['**/*.spec.ts'],
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
  testTimeout: 15_000,
};
