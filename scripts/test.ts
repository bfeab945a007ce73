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
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages: string[] | null }[]
  }[]
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

/** The tests that failed with the start of what they said, and files that failed as a whole: logs are read from the end. */
function describeFailures(reports: Report[]): string[] {
  const files = reports.flatMap((report) => report.testResults).filter((file) => file.status !== 'passed')
  return files.flatMap((file) => {
    const tests = file.assertionResults.filter((test) => test.status === 'failed')
    if (tests.length === 0) return [`FAILED: ${file.name}: ${file.message || 'did not end'}`]
    return tests.map(({ fullName, failureMessages }) => {
      const said = (failureMessages ?? []).join('\n').split('\n').slice(0, 8).join('\n')
      return `FAILED: ${file.name}: ${fullName}\n${said}`
    })
  })
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
  for (const failure of describeFailures(reports)) console.log(`\n${failure}`)
  console.log(`\n${says}\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = code
} finally {
  rmSync(directory, { recursive: true, force: true })
}
