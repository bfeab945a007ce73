/**
 * Everything that CI runs, in one go: lint, types, house rules, tests, bundle. Ends with one line to read or to parse,
 * `N passed, N failed, N skipped`, and with turbo's exit code.
 *
 * Who calls it: `npm test`, after `scripts/ready.js`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

/** What this program reads of vitest's JSON report. */
interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
}

interface Outcome {
  /** What the run exits with. */
  code: number
  /** For people: what has become of the run as a whole. */
  says: string
}

/** Runs the tasks of turbo.json to their end, also after one has failed. */
async function runTasks(tasks: string[], reports: string): Promise<Outcome> {
  const turbo = spawn('turbo', ['run', ...tasks, '--continue=always'], {
    env: { ...process.env, PENNYPOST_TEST_REPORTS: reports, TURBO_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  // turbo ends with 0 when it is stopped, so the signal is remembered here.
  let stoppedBy: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stoppedBy = signal
      turbo.kill(signal)
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    turbo.on('error', reject)
    turbo.on('exit', (code, signal) => {
      stoppedBy ??= signal ?? undefined
      resolve(code)
    })
  })
  if (stoppedBy) return { code: 128 + constants.signals[stoppedBy], says: `STOPPED by ${stoppedBy}.` }
  if (code === 0) return { code, says: 'Everything passed.' }
  return { code: code ?? 1, says: 'FAILED: turbo names the task above, and its output says why.' }
}

function readReports(directory: string): Report[] {
  return readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Report)
}

function sum(reports: Report[], count: (report: Report) => number): number {
  return reports.reduce((total, report) => total + count(report), 0)
}

const directory = mkdtempSync(join(tmpdir(), 'pennypost-test-'))
try {
  const { code, says } = await runTasks(['check', 'unit', 'bundle'], directory)
  const reports = readReports(directory)
  const passed = sum(reports, (report) => report.numPassedTests)
  const skipped = sum(reports, (report) => report.numPendingTests + report.numTodoTests)
  // What fails outside of a test (lint, types, a file that does not load, the bundle) counts as one, so that the last
  // line never speaks of no failure when there was one.
  const failed = Math.max(
    sum(reports, (report) => report.numFailedTests),
    code === 0 ? 0 : 1,
  )
  console.log(`\n${says}\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = code
} finally {
  rmSync(directory, { recursive: true, force: true })
}
