import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeInitialResponse, decodeResponse, maxResponseOctets } from './response.ts'

test.each([
  ['AHRpbQB0YW5zdGFhZnRhbnN0YWFm', '\0tim\0tanstaaftanstaaf'],
  ['dA==', 't'],
  ['', ''],
])('%j is base64', (text, octets) => {
  expect(decodeResponse(text)).toEqual({ kind: 'octets', octets: Buffer.from(octets) })
  expect(decodeResponse(Buffer.from(text))).toEqual({ kind: 'octets', octets: Buffer.from(octets) })
})

test.each([
  ['no padding', 'dA'],
  ['too much padding', 'dA==='],
  ['padding in the middle', 'dA==dA=='],
  ['bits beyond the octets', 'dB=='],
  ['a space', 'dGlt '],
  ['the alphabet for URLs', '-_-_'],
  ['two stars', '**'],
  ['octets above 127', 'd\xe4d\xe4'],
])('%s is malformed', (_, text) => {
  expect(decodeResponse(Buffer.from(text, 'latin1'))).toEqual({ kind: 'malformed' })
})

test('a star gives up', () => {
  expect(decodeResponse('*')).toEqual({ kind: 'cancelled' })
})

test('an initial response is empty by =, and never by nothing', () => {
  expect(decodeInitialResponse('=')).toEqual({ kind: 'octets', octets: Buffer.alloc(0) })
  expect(decodeInitialResponse('')).toEqual({ kind: 'malformed' })
  expect(decodeInitialResponse('dA==')).toEqual({ kind: 'octets', octets: Buffer.from('t') })
})

test('the longest line of RFC 4954 §4 is taken, and none beyond', () => {
  expect(decodeResponse('A'.repeat(maxResponseOctets)).kind).toBe('octets')
  expect(decodeResponse('A'.repeat(maxResponseOctets + 4)).kind).toBe('malformed')
})

test('what one side writes the other reads; whatever is read writes the same again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.string({ maxLength: 20 }), (array, noise) => {
      const octets = Buffer.from(array)
      expect(decodeResponse(octets.toString('base64'))).toEqual({ kind: 'octets', octets })
      const read = decodeResponse(noise)
      if (read.kind === 'octets') expect(read.octets.toString('base64')).toBe(noise)
    }),
    { seed: 4954, numRuns: 500 },
  )
})
