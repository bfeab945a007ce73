/** Time, chance, DNS and the environment are passed in: only the listed files may take them from the machine. */
import { expect, test } from 'vitest'
import { importsOf, nameOf, parse, parseText, type Syntax, walk } from './syntax.ts'
import { isTest, mustHold, place, sources } from './tree.ts'

interface Exception {
  file: string
  /** As the rules below call it. */
  uses: readonly string[]
  because: string
}

/** The whole allow-list. An entry that is not needed any more fails a test. */
const exceptions: readonly Exception[] = [
  {
    file: 'packages/model/src/ports/system.ts',
    uses: ['Date.now', 'Math.random', 'performance.now', 'setTimeout'],
    because: 'it makes the real Clock, Deadline and Random that composition roots pass on',
  },
  {
    file: 'packages/dns/src/servers.ts',
    uses: ['node:dns'],
    because: "it reads the system's list of name servers, where the configuration names none",
  },
]

/** What is taken from the machine by naming it, wherever the name is used as a value. */
const forbidden = [
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
  'setTimeout',
  'setInterval',
  'AbortSignal.timeout',
]

const forbiddenModules = /^(node:)?(dns|dns\/promises|timers|timers\/promises)$/

interface Use {
  what: string
  start: number
}

/** All uses of clock, chance, schedule and environment in a tree. */
function usesIn(tree: Syntax): Use[] {
  const uses: Use[] = []
  walk(tree, (node, [outer]) => {
    if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date') {
      if ((node.arguments as unknown[]).length === 0) uses.push({ what: 'new Date()', start: node.start })
    } else if (isNameInUse(node, outer)) {
      const name = (nameOf(node) ?? '').replace(/^globalThis\./, '')
      if (forbidden.includes(name)) uses.push({ what: name, start: node.start })
      if (name === 'process.env') uses.push({ what: name, start: node.start })
    }
  })
  return uses
}

/** A name or chain of names read as a value: not a part of a longer chain, a key, or a type. */
function isNameInUse(node: Syntax, outer: Syntax | undefined): boolean {
  if (node.type !== 'Identifier' && node.type !== 'MemberExpression') return false
  if (outer?.type === 'MemberExpression') return outer.object === node && node.type === 'MemberExpression'
  return !(outer?.type.startsWith('TS') || (outer?.key === node && !outer.computed && !outer.shorthand))
}

function usesOf(path: string): Use[] {
  const modules = importsOf(path)
    .filter(({ specifier, isType }) => !isType && forbiddenModules.test(specifier))
    .map(({ specifier, start }) => ({ what: specifier, start }))
  return [...usesIn(parse(path)), ...modules]
}

const program = sources.filter((path) => /^(packages|apps)\//.test(path) && !isTest(path))
const isRoot = (path: string) => path.startsWith('apps/')

test('uses are found where they are uses', () => {
  const uses = (text: string) => usesIn(parseText(text)).map(({ what }) => what)
  expect(uses('const a = { now: Date.now }; f(Math.random())')).toEqual(['Date.now', 'Math.random'])
  expect(uses('new Date(); new Date(0); globalThis.setTimeout(f, 1)')).toEqual(['new Date()', 'setTimeout'])
  expect(uses('process.env.HOME; process.env["HOME"]')).toEqual(['process.env', 'process.env'])
  expect(uses('performance.now(); process.hrtime.bigint()')).toEqual(['performance.now', 'process.hrtime'])
  expect(uses('socket.setTimeout(1); let t: ReturnType<typeof setTimeout>; x = { setTimeout: 1 }')).toEqual([])
  expect(uses('// Date.now()\nconst text = "Math.random()"; const { now } = clock; now()')).toEqual([])
})

test('time, chance and DNS are passed in', () => {
  mustHold(
    'no clock, chance, schedule or dns but through Clock, Deadline, Random, Resolver (allow-list: test/tidy/calls.test.ts)',
    program.flatMap((path) =>
      usesOf(path)
        .filter(({ what }) => what !== 'process.env' && !isAllowed(path, what))
        .map(({ what, start }) => `${place(path, start)} uses ${what}`),
    ),
  )
})

test('the environment is read by applications only', () => {
  mustHold(
    'packages take options; only apps and scripts read process.env',
    program.flatMap((path) =>
      usesOf(path)
        .filter(({ what }) => what === 'process.env' && !isRoot(path) && !isAllowed(path, what))
        .map(({ start }) => place(path, start)),
    ),
  )
})

test('the real clock and chance are taken by applications only', () => {
  mustHold(
    'systemClock, systemDeadline and systemRandom are for composition roots',
    program.flatMap((path) =>
      importsOf(path)
        .filter(({ names }) => !isRoot(path) && names.some((name) => /^system(Clock|Deadline|Random)$/.test(name)))
        .map(({ start, names }) => `${place(path, start)} imports ${names.join(', ')}`),
    ),
  )
})

test('every exception is needed', () => {
  mustHold(
    'an exception in test/tidy/calls.test.ts is used',
    exceptions.flatMap(({ file, uses }) => {
      const found = sources.includes(file) ? usesOf(file).map(({ what }) => what) : []
      return uses.filter((what) => !found.includes(what)).map((what) => `${file} does not use ${what}`)
    }),
  )
})

function isAllowed(path: string, what: string): boolean {
  return exceptions.some(({ file, uses }) => file === path && uses.includes(what))
}
