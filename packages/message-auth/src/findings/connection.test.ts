import { expect, test } from 'vitest'
import { type Script, scriptedResolver } from '../../test/scripted-resolver.ts'
import { checkDnsList, type DnsList } from './dns-list.ts'
import { checkReverseDns } from './reverse-dns.ts'

const never = new AbortController().signal
const reverse = (script: Script, address = '192.0.2.1') => checkReverseDns(scriptedResolver(script), address, never)
const list = (script: Script, zone: Partial<DnsList> = {}, address = '192.0.2.1') =>
  checkDnsList(scriptedResolver(script), { zone: 'list.test', kind: 'dnsbl', ...zone }, address, never)

const ptr = '1.2.0.192.in-addr.arpa PTR'
const listed = '1.2.0.192.list.test A'

test('a name that leads back confirms the address', async () => {
  const script = { [ptr]: ['other.test', 'mail.one.test'], 'mail.one.test A': ['198.51.100.1', '192.0.2.1'] }
  expect(await reverse(script)).toMatchObject({ result: 'pass', name: 'mail.one.test', address: '192.0.2.1' })
  expect(await reverse(script, '::ffff:192.0.2.1')).toMatchObject({ result: 'pass', address: '192.0.2.1' })
})

test('an IPv6 address however its record is written', async () => {
  const name = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa PTR`
  const script = { [name]: ['mail.one.test'], 'mail.one.test AAAA': ['2001:0db8:0::1'] }
  expect(await reverse(script, '2001:db8::1')).toMatchObject({ result: 'pass' })
})

test('no name, a name that leads elsewhere, and no answer are told apart', async () => {
  expect(await reverse({})).toMatchObject({ result: 'permerror', name: '' })
  expect(await reverse({ [ptr]: ['mail.one.test'], 'mail.one.test A': ['192.0.2.9'] })).toMatchObject({
    result: 'fail',
  })
  expect(await reverse({ [ptr]: ['mail.one.test'] })).toMatchObject({ result: 'fail' })
  expect(await reverse({ [ptr]: 'failed' })).toMatchObject({ result: 'temperror' })
  expect(await reverse({ [ptr]: ['mail.one.test'], 'mail.one.test A': 'failed' })).toMatchObject({
    result: 'temperror',
  })
})

test('of many names ten are tried', async () => {
  const names = Array.from({ length: 50 }, (_, i) => `n${i}.test`)
  const resolver = scriptedResolver({ [ptr]: names })
  expect(await checkReverseDns(resolver, '192.0.2.1', never)).toMatchObject({ result: 'fail' })
  expect(resolver.asked).toHaveLength(11)
})

test('an answer in 127.0.0.0/8 lists, none does not', async () => {
  const finding = await list({ [listed]: ['127.0.0.2', '127.0.0.10'] })
  expect(finding).toMatchObject({ check: 'dnsbl', result: 'listed', codes: ['127.0.0.2', '127.0.0.10'] })
  expect(await list({})).toMatchObject({ result: 'not-listed' })
  expect(await list({ [listed]: ['127.0.0.2'] }, { kind: 'dnswl' })).toMatchObject({ check: 'dnswl', result: 'listed' })
})

test.each(['127.255.255.252', '127.255.255.254', '127.255.255.255', '203.0.113.7'])(
  '%s says nothing about the address',
  async (code) => expect(await list({ [listed]: [code] })).toMatchObject({ result: 'unavailable' }),
)

test('a list that lists 127.0.0.1 is not believed', async () => {
  const script = { [listed]: ['127.0.0.2'], '1.0.0.127.list.test A': ['127.0.0.2'] }
  expect(await list(script)).toMatchObject({ result: 'unavailable', detail: 'list.test lists everything' })
})

test('only the codes that were asked for count, and whole ones', async () => {
  const codes = [/127\.0\.0\.[234]/]
  expect(await list({ [listed]: ['127.0.0.4'] }, { codes })).toMatchObject({ result: 'listed' })
  expect(await list({ [listed]: ['127.0.0.41'] }, { codes })).toMatchObject({ result: 'not-listed' })
})

test('the allowing list that is asked too often is unavailable', async () => {
  expect(await list({ [listed]: ['127.0.0.255'] }, { kind: 'dnswl' })).toMatchObject({ result: 'unavailable' })
})

test('a list that does not answer is unavailable', async () => {
  expect(await list({ [listed]: 'failed' })).toMatchObject({ result: 'unavailable' })
})
