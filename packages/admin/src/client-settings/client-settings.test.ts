import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { appleProfile } from './apple-profile.ts'
import { autoconfigDocument } from './autoconfig.ts'
import { autodiscoverDocument, autodiscoverErrorDocument, readAutodiscover } from './autodiscover.ts'
import { type ClientSettings, loginDomain } from './settings.ts'

const now = Date.UTC(2026, 4, 1, 12)
const one = { domain: 'one.test', loginDomain: 'one.test' }

const settings = (...services: ClientSettings['services']): ClientSettings => ({ hostname: 'mail.one.test', services })
const all = settings(
  { service: 'pop3', port: 110 },
  { service: 'imap', port: 143 },
  { service: 'submission', port: 587 },
  { service: 'pop3s', port: 995 },
  { service: 'imaps', port: 993 },
  { service: 'submissions', port: 465 },
)
const startTlsOnly = settings({ service: 'submission', port: 587 }, { service: 'imap', port: 143 })

/** The texts of all elements of that name, in order. */
const texts = (document: string | undefined, name: string): string[] =>
  [...(document ?? '').matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text]) => text as string)

describe('autoconfig', () => {
  test('every server, TLS from the first octet before STARTTLS, IMAP before POP3, clear text never', () => {
    const document = autoconfigDocument(one, all)
    expect(texts(document, 'port')).toEqual(['993', '143', '995', '110', '465', '587'])
    expect(texts(document, 'socketType')).toEqual(['SSL', 'STARTTLS', 'SSL', 'STARTTLS', 'SSL', 'STARTTLS'])
    expect(document?.match(/(incoming|outgoing)Server type="\w+"/g)).toEqual([
      ...['imap', 'imap', 'pop3', 'pop3'].map((type) => `incomingServer type="${type}"`),
      ...['smtp', 'smtp'].map((type) => `outgoingServer type="${type}"`),
    ])
    expect(new Set(texts(document, 'hostname'))).toEqual(new Set(['mail.one.test']))
    expect(new Set(texts(document, 'username'))).toEqual(new Set(['%EMAILADDRESS%']))
    expect(new Set(texts(document, 'authentication'))).toEqual(new Set(['password-cleartext']))
  })

  test('people of an alias domain log in by the name of the domain that it stands for', () => {
    const document = autoconfigDocument({ domain: 'two.test', loginDomain: 'one.test' }, all)
    expect(texts(document, 'domain')).toEqual(['two.test'])
    expect(texts(document, 'username')[0]).toBe('%EMAILLOCALPART%@one.test')
  })

  test('names to show are no longer than the format allows, and in their own letters', () => {
    const long = `xn--bcher-kva.${'a'.repeat(60)}.test`
    const document = autoconfigDocument({ domain: long, loginDomain: long }, all)
    expect(texts(document, 'displayName')[0]).toMatch(/^bücher\.a{53}$/)
    expect(texts(document, 'displayShortName')[0]).toHaveLength(20)
    expect(texts(document, 'domain')).toEqual([long])
  })

  test.each([
    ['nothing to read with', settings({ service: 'submissions', port: 465 })],
    ['nothing to send with', settings({ service: 'imaps', port: 993 })],
    ['nothing at all', settings()],
  ])('is not there where there is %s', (_, given) => {
    expect(autoconfigDocument(one, given)).toBeUndefined()
    expect(autodiscoverDocument('a@one.test', given, now)).toContain('<ErrorCode>601</ErrorCode>')
  })
})

describe('autodiscover', () => {
  test('one server of each protocol, the best', () => {
    const document = autodiscoverDocument('alice@one.test', all, now)
    expect(texts(document, 'Type')).toEqual(['IMAP', 'POP3', 'SMTP'])
    expect(texts(document, 'Port')).toEqual(['993', '995', '465'])
    expect(texts(document, 'Encryption')).toEqual(['SSL', 'SSL', 'SSL'])
    expect(texts(document, 'LoginName')).toEqual(['alice@one.test', 'alice@one.test', 'alice@one.test'])
  })

  test('STARTTLS is not told as clear text', () => {
    const document = autodiscoverDocument('alice@one.test', startTlsOnly, now)
    expect(texts(document, 'Port')).toEqual(['143', '587'])
    expect(texts(document, 'Encryption')).toEqual(['TLS', 'TLS'])
    expect(texts(document, 'SSL')).toEqual(['on', 'on'])
  })

  test('an address cannot become an element', () => {
    const document = autodiscoverDocument('a<b>&"\'c@one.test', startTlsOnly, now)
    expect(texts(document, 'LoginName')[0]).toBe('a&#60;b&#62;&#38;&#34;&#39;c@one.test')
  })

  test('an error has the time and the code', () => {
    const document = autodiscoverErrorDocument(600, now)
    expect(document).toContain('<Error Time="12:00:00.000" Id="0">')
    expect(texts(document, 'ErrorCode')).toEqual(['600'])
  })

  const outlook = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a'
  const request = (address: string, schema = outlook) => `<?xml version="1.0" encoding="utf-8"?>
    <Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
      <Request>
        <EMailAddress>${address}</EMailAddress>
        <AcceptableResponseSchema>${schema}</AcceptableResponseSchema>
      </Request>
    </Autodiscover>`

  test.each([
    ['as Thunderbird sends it', request('alice@one.test'), 'alice@one.test'],
    ['with references', request(' o&apos;brien&amp;co&#64;one.test&#x21; '), "o'brien&co@one.test!"],
    ['with prefix and attribute', '<a:EMailAddress x="y">a@one.test</a:EMailAddress>', 'a@one.test'],
    ['with a reference that nobody knows', request('a&b;@one.test'), 'a&b;@one.test'],
    ['with a document type, of which nothing is taken', `<!DOCTYPE a>${request('a@one.test')}`, 'a@one.test'],
  ])('reads the address %s', (_, body, address) => {
    expect(readAutodiscover(body)).toEqual({ address })
  })

  test.each([
    ['nothing', '', 600],
    ['no XML', 'alice@one.test', 600],
    ['no address', request('alice'), 600],
    ['an element in the address', request('a<b/>@one.test'), 600],
    ['a control', request('a&#0;@one.test'), 600],
    ['half a character', request('a&#xD800;@one.test'), 600],
    ['a number beyond all characters', request('a&#x110000;'), 600],
    ['more than an address has', request(`${'a'.repeat(320)}@one.test`), 600],
    ['ActiveSync', request('a@one.test', outlook.replace('outlook', 'mobilesync').replace('2006a', '2006')), 601],
  ])('refuses %s', (_, body, error) => {
    expect(readAutodiscover(body)).toEqual({ error })
  })
})

describe('a profile for Apple', () => {
  const textOf = (document: string | undefined, key: string) =>
    new RegExp(`<key>${key}</key><(?:string|integer)>([^<]*)<`).exec(document ?? '')?.[1]

  test('IMAP and submission with TLS from the first octet, and no password', () => {
    const document = appleProfile('a&b@two.test', 'a&b@one.test', all)
    expect(textOf(document, 'EmailAddress')).toBe('a&#38;b@two.test')
    expect(textOf(document, 'EmailAccountType')).toBe('EmailTypeIMAP')
    expect(textOf(document, 'IncomingMailServerPortNumber')).toBe('993')
    expect(textOf(document, 'OutgoingMailServerPortNumber')).toBe('465')
    expect(textOf(document, 'IncomingMailServerUsername')).toBe('a&#38;b@one.test')
    expect(textOf(document, 'OutgoingMailServerHostName')).toBe('mail.one.test')
    expect(document).not.toMatch(/<key>(In|Out)\w*Password<\/key><string>/)
  })

  test('is the same for an address each time, and has ids of its own', () => {
    const [first, again, other] = ['a', 'a', 'b'].map((name) => appleProfile(`${name}@one.test`, 'a@one.test', all))
    expect(again).toBe(first)
    const ids = [first, other].flatMap((document) => [
      ...(document ?? '').matchAll(/PayloadUUID<.key><string>([^<]*)/g),
    ])
    expect(new Set(ids.map(([, id]) => id)).size).toBe(4)
    for (const [, id] of ids) expect(id).toMatch(/^[\dA-F]{8}-[\dA-F]{4}-8[\dA-F]{3}-8[\dA-F]{3}-[\dA-F]{12}$/)
  })

  test('is not there where it could not say STARTTLS', () => {
    expect(appleProfile('a@one.test', 'a@one.test', startTlsOnly)).toBeUndefined()
  })
})

test('who logs in where: local domains, aliases of them, no others', async () => {
  const { directory } = createMemoryStore({ clock: virtualClock(now), random: seededRandom(1) })
  const add = (name: string, kind: 'local' | 'alias' | 'relay', target = '') =>
    directory.addDomain({ name, kind, target, catchAll: '' })
  await add('one.test', 'local')
  await add('two.test', 'alias', 'one.test')
  await add('far.test', 'relay', 'mail.far.test')
  const found = await Promise.all(
    ['one.test', 'two.test', 'far.test', 'nobody.test', undefined].map((name) => loginDomain(directory, name)),
  )
  expect(found).toEqual(['one.test', 'one.test', undefined, undefined, undefined])
})
