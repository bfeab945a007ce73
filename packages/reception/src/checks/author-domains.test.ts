/** Whose DMARC policy is asked: nobody's of whom readers could think that somebody else has written. */
import { parseHeader } from '@pennypost/message'
import { expect, it } from 'vitest'
import { authorDomains } from './author-domains.ts'

it.each([
  ['one author', 'From: Alice <alice@ONE.test>', ['one.test']],
  ['two of one domain', 'From: alice@one.test, bob@one.test', ['one.test']],
  ['two fields', 'From: alice@one.test\r\nFrom : bob@two.test', ['one.test', 'two.test']],
  ['a domain in full-width letters', 'From: alice@\uff4fne.test', ['one.test']],
  ['a route', 'From: <@bank.test:alice@one.test>', ['one.test']],
  ['a local part with an @', 'From: <"alice@bank.test"@one.test>', ['one.test']],
  ['none', 'From: alice', []],
  ['one called like what stands for a missing local part', 'From: "MISSING\\_MAILBOX"@bank.test', ['bank.test']],
  ['one without a local part', 'From: <@bank.test>', ['bank.test']],
  ['one with a domain behind the address', 'From: <<alice@bank.test>@one.test>', ['bank.test', 'one.test']],
  ['an address with two @, of which readers may take either domain', 'From: <alice@bank.test@one.test>', ['']],
  [
    'one who hid behind more authors than were looked at',
    `From: ${'alice@one.test, '.repeat(1001)}bob@bank.test`,
    ['', 'one.test'],
  ],
  ['one who hid behind groups', `From: alice@one.test, ${'x:;, '.repeat(501)}bob@bank.test`, ['', 'one.test']],
])('%s', (_, header, domains) => {
  expect(authorDomains(parseHeader(Buffer.from(`${header}\r\n\r\n`)))).toEqual(domains)
})
