/**
 * All tests of the repository, in two projects: `unit` is everything that runs the code, `tidy` holds the house rules.
 *
 * Who calls it: `npm run check` (tidy), `npm run unit`, and anybody with `vitest run PATH`. A test file that no project
 * includes fails `test/tidy`, so none is left out by its place.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const packages = ['packages', 'apps'].flatMap((place) => [
  `${place}/*/src/**/*.test.ts`,
  `${place}/*/test/**/*.test.ts`,
])
const suites = ['conformance', 'e2e', 'interop', 'fuzz', 'upgrade'].map((suite) => `test/${suite}/**/*.test.ts`)

// Worker threads run from sources too, and a test file starts many: what one has compiled the next one finds.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

// `npm test` counts the tests of all runs from these files, and names those that failed.
const reports = process.env.PENNYPOST_TEST_REPORTS

export default defineConfig({
  test: {
    // Processes, not threads: a signal, a crash of a native addon or a changed directory stays with its file.
    pool: 'forks',
    // As bin/pennypost.js does, which says why.
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
    maxWorkers: 2,
    reporters: reports ? ['default', ['json', { outputFile: join(reports, `${process.pid}.json`) }]] : ['default'],
    // Limits for what hangs, never a measure of speed: the machine may be busy with anything.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    projects: [
      { extends: true, test: { name: 'unit', include: [...packages, ...suites] } },
      {
        extends: true,
        test: {
          name: 'tidy',
          include: ['test/tidy/**/*.test.ts'],
          // One worker that keeps what it has parsed: every rule reads the same sources.
          isolate: false,
          maxWorkers: 1,
          // Vitest runs projects with different numbers of workers one after the other, and asks for the order.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
