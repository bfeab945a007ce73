import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { appPasswordVerifier, generateAppPassword } from './app-password.ts'

const secret = Buffer.alloc(32, 7)
const random = { bytes: (count: number) => randomBytes(count), fraction: () => 0 }

test('has 140 bits in groups that can be read aloud', () => {
  const made = generateAppPassword(random)
  expect(made).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){6}[0-9a-hjkmnp-tv-z]{4}$/)
  expect(generateAppPassword(random)).not.toBe(made)
})

test('every symbol of the alphabet is used, so no bit is lost', () => {
  const octets = Buffer.from(Array.from({ length: 32 }, (_, index) => index + 224))
  const all = [0, 4].map((from) =>
    generateAppPassword({ ...random, bytes: (count) => octets.subarray(from, from + count) }),
  )
  expect(new Set(all.join('').replaceAll('-', '')).size).toBe(32)
})

test('is found as people type it', () => {
  const made = '0123-4567-89ab-cdef-ghjk-mnpq-rstv'
  const verifier = appPasswordVerifier(secret, made)
  expect(verifier).toMatch(/^[0-9a-f]{64}$/)
  for (const typed of [
    'o1234567 89ab cdef ghjk mnpq rstv',
    'OI23456789ABCDEFGHJKMNPQRSTV',
    '0l23-4567-89ab-cdef-ghjk-mnpq-rstv',
  ]) {
    expect(appPasswordVerifier(secret, typed)).toBe(verifier)
  }
})

test('depends on the secret, and is none when it has another form', () => {
  const made = '0123-4567-89ab-cdef-ghjk-mnpq-rstv'
  expect(appPasswordVerifier(Buffer.alloc(32, 8), made)).not.toBe(appPasswordVerifier(secret, made))
  for (const other of [
    'secret',
    '',
    `${made}0`,
    made.replace('r', 'u'),
    made.replace('r', '\u00e9'),
    '-'.repeat(1_000),
  ]) {
    expect(appPasswordVerifier(secret, other)).toBeUndefined()
  }
})
