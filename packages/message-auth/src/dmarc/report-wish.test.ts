/** Where aggregate reports go (RFC 9990 §3.4, §4), and to whom they never do. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Script, scriptedResolver } from '../../test/scripted-resolver.ts'
import { findReportWish } from './report-wish.ts'

const never = new AbortController().signal

const wish = (script: Script, domain = 'one.test') => findReportWish(scriptedResolver(script), domain, never)
const uris = async (rua: string, others: Script = {}) =>
  (await wish({ '_dmarc.one.test TXT': [`v=DMARC1; p=reject; rua=${rua}`], ...others }))?.uris

test('of the domain itself, and of its organization', async () => {
  expect(await uris('mailto:d@one.test, mailto:d@mail.one.test')).toEqual([
    'mailto:d@one.test',
    'mailto:d@mail.one.test',
  ])
})

test('the record comes with them, as it stands now', async () => {
  const script = { '_dmarc.one.test TXT': ['v=DMARC1; p=reject; sp=none; rua=mailto:d@one.test'] }
  expect(await wish(script)).toMatchObject({ record: { policy: 'reject', subdomainPolicy: 'none' } })
})

test.each([
  ['no record', {}],
  ['no rua', { '_dmarc.one.test TXT': ['v=DMARC1; p=reject'] }],
  ['two records', { '_dmarc.one.test TXT': Array(2).fill('v=DMARC1; p=none; rua=mailto:d@one.test') }],
])('%s: nobody wants any', async (_, script) => expect(await wish(script)).toBeUndefined())

test.each([
  'https://one.test/',
  'mailto:',
  'mailto:d',
  'mailto:@one.test',
  'mailto:d@%',
  'mailto:d@%0D%0A',
  'd@one.test',
])('%s is passed over', async (uri) => expect(await uris(`${uri},mailto:d@one.test`)).toEqual(['mailto:d@one.test']))

test('a limit of size, as they were once, is no part of the address', async () => {
  expect(await uris('mailto:d@one.test!10m')).toEqual(['mailto:d@one.test'])
})

test('of another organization only who has asked for them', async () => {
  const rua = 'mailto:d@two.test'
  const name = 'one.test._report._dmarc.two.test TXT'
  expect(await uris(rua)).toBeUndefined()
  expect(await uris(rua, { [name]: ['v=spf1 -all'] })).toBeUndefined()
  expect(await uris(rua, { [name]: ['x', 'v=DMARC1'] })).toEqual([rua])
  expect(await uris(rua, { [name]: ['v=DMARC1; rua=mailto:other@two.test'] })).toEqual(['mailto:other@two.test'])
  expect(await uris(rua, { [name]: ['v=DMARC1; rua=mailto:other@one.test'] })).toBeUndefined()
})

test('a name too long to ask for is no consent', async () => {
  const label = 'x'.repeat(60)
  const host = `${label}.${label}.${label}.${label}.test`
  const resolver = scriptedResolver({ '_dmarc.one.test TXT': [`v=DMARC1; p=none; rua=mailto:d@${host}`] })
  expect(await findReportWish(resolver, 'one.test', never)).toBeUndefined()
  expect(resolver.asked.filter((name) => name.includes('_report'))).toEqual([])
})

test.each(['_dmarc.one.test', '_dmarc.two.test', 'one.test._report._dmarc.two.test'])(
  'what DNS does not say of %s is not known',
  async (name) => {
    await expect(uris('mailto:d@two.test', { [`${name} TXT`]: 'failed' })).rejects.toThrow('SERVFAIL')
  },
)

test('one address whose DNS is broken for good kept the reports from all others', async () => {
  const rua = 'mailto:d@gone.test,mailto:d@one.test'
  expect(await uris(rua, { '_dmarc.gone.test TXT': 'failed' })).toEqual(['mailto:d@one.test'])
})

test('of thousands of addresses five are looked at', async () => {
  const many = Array.from({ length: 5000 }, (_, i) => `mailto:d@host${i}.example`).join(',')
  const resolver = scriptedResolver({ '_dmarc.one.test TXT': [`v=DMARC1; p=none; rua=${many}`] })
  expect(await findReportWish(resolver, 'one.test', never)).toBeUndefined()
  expect(resolver.asked.length).toBeLessThan(40)
})

test('whatever stands there, only mailto URIs of the domain come out', async () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('mailto:', '@', 'one.test', '!', '%0d', ',', '?', ';'))
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      for (const uri of (await uris(parts.join(''))) ?? []) expect(uri).toMatch(/^mailto:[!-~]+@[!-~]+$/i)
    }),
    { numRuns: 500, seed: 9990 },
  )
})
