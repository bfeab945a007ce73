import { expect, it } from 'vitest'
import { parseClientAttributes } from './client-attributes.ts'

const known = ['NAME', 'ADDR', 'PORT', 'HELO']

it('reads attributes in any case, values in xtext', () => {
  expect(parseClientAttributes('name=mail.two.test ADDR=192.0.2.1  Port=25 HELO=a+2Bb', known)).toEqual(
    new Map([
      ['NAME', 'mail.two.test'],
      ['ADDR', '192.0.2.1'],
      ['PORT', '25'],
      ['HELO', 'a+b'],
    ]),
  )
})

it('takes IPv6 with its tag, and mapped addresses as IPv4', () => {
  expect(parseClientAttributes('ADDR=IPV6:2001:db8::1', known)).toEqual(new Map([['ADDR', '2001:db8::1']]))
  expect(parseClientAttributes('ADDR=IPv6:::ffff:192.0.2.1', known)).toEqual(new Map([['ADDR', '192.0.2.1']]))
})

it('what is not available is undefined', () => {
  expect(parseClientAttributes('NAME=[UNAVAILABLE] HELO=[tempunavail] ADDR=', known)).toEqual(
    new Map([
      ['NAME', undefined],
      ['HELO', undefined],
      ['ADDR', undefined],
    ]),
  )
})

it('a client that says HELO with spaces was refused behind a proxy', () => {
  expect(parseClientAttributes('HELO=PhpStorm+202017.2', known)).toEqual(new Map([['HELO', 'PhpStorm 2017.2']]))
})

it.each([
  '',
  'NAME',
  '=x',
  'COLOUR=red',
  'ADDR=nowhere',
  'PORT=65536',
  'PORT=x',
  'HELO=a+0D+0Ab',
  'HELO=a+',
  'NAME=+20',
])('%j is refused', (argument) => {
  expect(parseClientAttributes(argument, known)).toBeTypeOf('string')
})
