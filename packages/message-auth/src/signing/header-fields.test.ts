import { expect, test } from 'vitest'
import { relaxField, selectFields, splitHeader } from './header-fields.ts'

const split = (text: string) => splitHeader(Buffer.from(text, 'latin1'))

test('the fields of RFC 6376 §3.4.5', () => {
  const fields = split('A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n')
  expect(fields.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(fields.map(relaxField)).toEqual(['a:X', 'b:Y Z'])
})

test('the header section may end with or without its empty line', () => {
  const expected = [{ name: 'from', text: 'From: a@one.test' }]
  for (const end of ['', '\r\n', '\r\n\r\n']) expect(split(`From: a@one.test${end}`)).toEqual(expected)
})

test('8-bit octets pass through, a no-break space is not folded away', () => {
  expect(split('Subject:\xc2\xa0caf\xc3\xa9 \r\n').map(relaxField)).toEqual(['subject:\xc2\xa0caf\xc3\xa9'])
})

test('what is no field is neither signed nor in the way', () => {
  expect(split('no colon here\r\nbad name: x\r\n: y\r\nTo: b@two.test\r\n').map(({ name }) => name)).toEqual(['to'])
})

test('From and every field that may stand once are named once more than they occur', () => {
  const signed = selectFields(
    split('Received: x\r\nSubject: s\r\nFrom: a@one.test\r\nList-Id: <l>\r\nDKIM-Signature: d\r\n'),
  )
  expect(signed?.names).toEqual(['from', 'from', 'subject', 'subject', 'list-id'])
  expect(signed?.fields.map(({ name }) => name)).toEqual(['from', 'subject', 'list-id'])
})

test('fields that occur several times are taken from the bottom up', () => {
  const signed = selectFields(split('From: a@one.test\r\nResent-From: last\r\nResent-From: first\r\n'))
  expect(signed?.names).toEqual(['from', 'from', 'resent-from', 'resent-from'])
  expect(signed?.fields.slice(1).map(({ text }) => text)).toEqual(['Resent-From: first', 'Resent-From: last'])
})

test('without From there is nothing to sign', () => {
  expect(selectFields(split('Subject: s\r\n'))).toBeUndefined()
})
