/** Files and functions stay small enough to be read at one sitting. The medians are printed: they tell where it grows. */
import { expect, test } from 'vitest'
import { functionsOf } from './syntax.ts'
import { countLines, isTest, mustHold, place, read, sources, workspaces } from './tree.ts'

const fileCeiling = 500
const functionCeiling = 70
const testCeiling = 150

test('no file is longer than 500 lines', () => {
  mustHold(
    `a file has at most ${fileCeiling} lines`,
    sources.flatMap((path) => {
      const lines = countLines(read(path))
      return lines > fileCeiling ? [`${path} has ${lines}`] : []
    }),
  )
})

/** A suite is a list of tests and as long as the list; a single test has a ceiling of its own. */
function ceilingOf(path: string, givenTo: string | undefined): number {
  if (!isTest(path)) return functionCeiling
  if (/^(describe|suite)\b/.test(givenTo ?? '') || path.includes('/contract/')) return Number.POSITIVE_INFINITY
  return testCeiling
}

test('no function is longer than 70 lines', () => {
  mustHold(
    `a function has at most ${functionCeiling} lines, a test ${testCeiling}`,
    sources.flatMap((path) =>
      functionsOf(path)
        .filter(({ lines, givenTo }) => lines > ceilingOf(path, givenTo))
        .map(({ start, lines }) => `${place(path, start)} has ${lines}`),
    ),
  )
})

test('the ceiling of a function depends on what it is', () => {
  expect(ceilingOf('packages/imap/src/session.ts', 'createServer')).toBe(functionCeiling)
  expect(ceilingOf('packages/imap/src/session.test.ts', 'it.each')).toBe(testCeiling)
  expect(ceilingOf('packages/imap/src/session.test.ts', 'describe.each')).toBe(Number.POSITIVE_INFINITY)
})

test('sizes of files, by package', () => {
  const rows = workspaces.map(({ directory, sources: own }) => {
    const sizes = own.filter((path) => !isTest(path)).map((path) => countLines(read(path)))
    return `${directory.padEnd(28)}${describeSizes(sizes)}`
  })
  console.log(rows.join('\n'))
})

test('the median is the middle', () => {
  expect(describeSizes([3, 1, 100])).toBe('  3 files   median   3   longest 100')
  expect(describeSizes([1, 2, 4, 9])).toBe('  4 files   median   3   longest   9')
})

function describeSizes(sizes: readonly number[]): string {
  const sorted = sizes.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2
  const [count, mid, longest] = [sizes.length, Math.round(median), sorted.at(-1) ?? 0].map((n) => String(n).padStart(3))
  return `${count} files   median ${mid}   longest ${longest}`
}
