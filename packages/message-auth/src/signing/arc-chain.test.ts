import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ArcFinding } from '../findings/finding.ts'
import { nextSet } from './arc-chain.ts'
import { splitHeader } from './header-fields.ts'

const found = (result: ArcFinding['result'], instance = 0): ArcFinding => {
  return { check: 'arc', result, instance, sealer: '', detail: '' }
}

const next = (header: string, finding: ArcFinding) => nextSet(splitHeader(Buffer.from(header, 'latin1')), finding)

/** A set as others write it: results first by number, tags in any order. */
const setOf = (instance: number, cv: string): string =>
  `ARC-Seal: a=rsa-sha256; cv=${cv}; i=${instance}; d=x.test;\r\n\ts=s; b=abc\r\n` +
  `ARC-Message-Signature: i=${instance}; a=rsa-sha256; h=from; b=abc\r\n` +
  `ARC-Authentication-Results: i=${instance}; mx.x.test;\r\n dkim=pass header.i=@two.test\r\n`

const chainOf = (length: number): string =>
  Array.from({ length }, (_, at) => setOf(at + 1, at === 0 ? 'none' : 'pass'))
    .reverse()
    .join('')

test('the first set says that there was none', () => {
  expect(next('From: a@two.test\r\n', found('none'))).toEqual({ instance: 1, validation: 'none', before: [] })
})

test('a set behind a good chain covers all of it, from the first set on', () => {
  const set = next(`${chainOf(2)}From: a@two.test\r\n`, found('pass', 2))
  expect(set).toMatchObject({ instance: 3, validation: 'pass' })
  const names = typeof set === 'string' ? [] : set.before.map(({ name, text }) => `${name} ${/i=(\d)/.exec(text)?.[1]}`)
  expect(names).toEqual([
    'arc-authentication-results 1',
    'arc-message-signature 1',
    'arc-seal 1',
    'arc-authentication-results 2',
    'arc-message-signature 2',
    'arc-seal 2',
  ])
})

test('of a broken chain it says so once, and covers nothing of it', () => {
  const failed = (header: string) => next(header, found('fail', 0))
  expect(failed(chainOf(2))).toEqual({ instance: 3, validation: 'fail', before: [] })
  // A set too few, a field too few, one too many: what is there still tells which instance is free.
  expect(failed(setOf(3, 'pass'))).toMatchObject({ instance: 4, validation: 'fail' })
  expect(failed('ARC-Seal: i=2; cv=pass; b=x\r\n')).toMatchObject({ instance: 3, validation: 'fail' })
  expect(failed(chainOf(1) + chainOf(1))).toMatchObject({ instance: 2, validation: 'fail' })
})

const doubtful = 'the chain is not the one that was checked'

test.each([
  ['which could not be checked', chainOf(1), found('unavailable', 1), 'the chain could not be checked'],
  ['that has failed before', setOf(2, 'fail') + chainOf(1), found('fail', 2), /newest seal says/],
  [
    'that has failed before, below what has no seal',
    `ARC-Authentication-Results: i=3; x\r\n${setOf(2, 'FAIL ')}`,
    found('fail', 2),
    /newest seal says/,
  ],
  ['of fifty sets', chainOf(50), found('pass', 50), 'the chain has 50 sets already'],
  ['of more than fifty sets', chainOf(51), found('fail', 51), 'the chain has 51 sets already'],
  ['without an instance', `${chainOf(1)}ARC-Seal: cv=none; b=x\r\n`, found('fail', 1), /does not tell/],
  ['with two instances in a field', 'ARC-Seal: i=1; i=2; b=x\r\n', found('fail', 1), /does not tell/],
  ['with the instance 0', 'ARC-Seal: i=0; b=x\r\n', found('fail', 1), /does not tell/],
  ['with the instance 100', 'ARC-Seal: i=100; b=x\r\n', found('fail', 1), /does not tell/],
  ['with the instance one', 'ARC-Seal: i=one; b=x\r\n', found('fail', 1), /does not tell/],
  ['with a tag I=', 'ARC-Seal: I=1; b=x\r\n', found('fail', 1), /does not tell/],
  [
    'with results that begin otherwise',
    'ARC-Authentication-Results: mx.test; i=1;\r\n',
    found('fail', 1),
    /does not tell/,
  ],
  ['of which the check saw nothing', chainOf(1), found('none'), doubtful],
  ['that the check saw, and is not there', '', found('pass', 1), doubtful],
  ['that is not there and has failed', '', found('fail', 0), doubtful],
  ['longer than what was checked', chainOf(2), found('pass', 1), doubtful],
  ['with a gap that the check did not see', setOf(1, 'none') + setOf(3, 'pass'), found('pass', 3), doubtful],
  ['with a field twice that the check saw once', `${chainOf(1)}ARC-Seal: i=1; cv=none\r\n`, found('pass', 1), doubtful],
])('a chain %s gets no seal', (_, header, finding, reason) => {
  expect(next(`${header}From: a@two.test\r\n`, finding)).toMatch(reason)
})

test('whatever the fields are, the instance is above all that can be read, and a good chain is covered once', () => {
  const name = fc.constantFrom('ARC-Seal', 'arc-message-signature', 'ARC-Authentication-Results', 'ARC-SEAL ', 'From')
  const piece = fc.constantFrom(
    'i=1',
    'i=2',
    'i = 3',
    'i=',
    '=',
    ';',
    '; ',
    'cv=fail',
    'cv=pass',
    '\r\n ',
    'b=x',
    'i=99',
    '(c)',
  )
  const field = fc
    .tuple(name, fc.array(piece, { maxLength: 6 }))
    .map(([name, pieces]) => `${name}: ${pieces.join('')}\r\n`)
  const finding = fc.tuple(fc.constantFrom('none', 'pass', 'fail', 'unavailable'), fc.nat(3))
  fc.assert(
    fc.property(fc.array(field, { maxLength: 7 }), finding, (fields, [result, instance]) => {
      const set = next(fields.join(''), found(result as ArcFinding['result'], instance))
      if (typeof set === 'string') return
      expect(set.validation).toBe(result)
      expect(set.instance === 1).toBe(result === 'none')
      expect(set.instance).toBeLessThanOrEqual(50)
      expect(set.before).toHaveLength(result === 'pass' ? 3 * (set.instance - 1) : 0)
      const chain = fields.filter((text) => /^arc-/i.test(text))
      for (const text of chain) expect(Number(/i ?= ?(\d+)/.exec(text)?.[1])).toBeLessThan(set.instance)
    }),
    { numRuns: 3000, seed: 8617 },
  )
})
