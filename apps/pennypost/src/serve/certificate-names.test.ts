/** What a certificate from an authority is for, by what is configured and what the DNS says. */
import { createStaticResolver, type ZoneRow, zone } from '@pennypost/dns'
import { expect, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { certificateNames } from './certificate-names.ts'

const https = '[[listener]]\nservice = "https"\naddress = "::"\nport = 443'
const hosts: ZoneRow[] = [
  ['mail', 'A', '192.0.2.1'],
  ['mail', 'AAAA', '2001:db8::1'],
  ['autoconfig', 'CNAME', 'mail'],
  ['autodiscover', 'A', '192.0.2.1'],
  ['mta-sts', 'A', '192.0.2.9'],
]
const elsewhereToo: ZoneRow[] = [
  ['autoconfig', 'A', '192.0.2.1'],
  ['autoconfig', 'A', '192.0.2.9'],
]

async function namesBy({ acme = '', listener = https, rows = hosts, domains = ['one.test'] }): Promise<string[]> {
  const toml = `hostname = "Mail.One.test"\n[tls.acme]\naccept_terms = true\n${acme}\n${listener}`
  const domain = (name: string) => ({ name, kind: 'local' as const, target: '', catchAll: '', verifyRecipients: false })
  return certificateNames({
    config: checkConfig('test.toml', toml),
    directory: { domains: async () => domains.map(domain) },
    resolver: createStaticResolver([zone('one.test', rows)]),
  })
}

test('the host name and the names of pages that lead here, not those that lead elsewhere', async () => {
  expect(await namesBy({})).toEqual(['mail.one.test', 'autoconfig.one.test', 'autodiscover.one.test'])
})

test.each([
  ['no https listener', { listener: '' }],
  ['a web server answers the authority', { acme: 'web_root = "/var/www/html"' }],
  ['the host has no address', { rows: hosts.filter(([name]) => name !== 'mail') }],
  ['a name leads here and elsewhere', { rows: [...hosts.slice(0, 2), ...elsewhereToo] }],
  ['another domain has no such names', { domains: ['two.test'] }],
])('the host name alone: %s', async (_, given) => {
  const names = await namesBy(given)
  expect(names).toEqual(['mail.one.test'])
})

test('what the configuration names, and nothing else', async () => {
  expect(await namesBy({ acme: 'names = ["mx.one.test"]' })).toEqual(['mx.one.test'])
})

test('no more names than an authority takes', async () => {
  const domains = Array.from({ length: 60 }, (_, index) => `d${index}.one.test`)
  const rows = domains.flatMap((name): ZoneRow[] =>
    ['mta-sts', 'autoconfig'].map((label) => [`${label}.${name}.`, 'A', '192.0.2.1']),
  )
  expect(await namesBy({ domains, rows: [...hosts, ...rows] })).toHaveLength(100)
})
