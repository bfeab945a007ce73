import { createStaticResolver, type ZoneRow, zone } from '@pennypost/dns'
import { describe, expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

/** The zone rows that publish what `dns records` says. */
async function publish(admin: TestAdministration): Promise<ZoneRow[]> {
  const [one] = await admin.call('dns.records', { domain: 'one.test' })
  return one!.records
    .filter(({ type }) => type !== 'PTR')
    .map(({ name, type, value }) => {
      const data = type === 'TXT' ? [...value.matchAll(/"([^"]*)"/g)].map(([, text]) => text as string) : value
      return [`${name}.`, type as ZoneRow[1], data] as const
    })
}

const reverse = zone('2.0.192.in-addr.arpa', [['1', 'PTR', 'mail.one.test.']])

async function withDomain(): Promise<TestAdministration> {
  const admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  return admin
}

async function states(admin: TestAdministration): Promise<string[]> {
  const [one] = await admin.call('dns.check', {})
  return one!.records.map(({ purpose, state }) => `${purpose} ${state}`)
}

describe('DNS records', () => {
  test('everything that a domain needs is listed, long keys in several strings', async () => {
    using admin = await withDomain()
    const [one] = await admin.call('dns.records', {})
    const lines = one!.records.map(({ name, type, value }) => `${name} ${type} ${value.slice(0, 30)}`)
    expect(lines).toEqual([
      'one.test MX 10 mail.one.test.',
      'mail.one.test A 192.0.2.1',
      '192.0.2.1 PTR mail.one.test.',
      'one.test TXT "v=spf1 mx -all"',
      'mail.one.test TXT "v=spf1 a -all"',
      expect.stringMatching(/^202605e\._domainkey\.one\.test TXT "v=DKIM1; k=ed25519; p=/),
      expect.stringMatching(/^202605r\._domainkey\.one\.test TXT "v=DKIM1; k=rsa; p=MIIBIjANBg/),
      expect.stringMatching(/^_dmarc\.one\.test TXT "v=DMARC1; p=none; rua=mail/),
      '_smtp._tls.one.test TXT "v=TLSRPTv1; rua=mailto:postma',
      'mta-sts.one.test CNAME mail.one.test.',
      expect.stringMatching(/^_mta-sts\.one\.test TXT "v=STSv1; id=[0-9a-f]{13}/),
      '_submissions._tcp.one.test SRV 0 1 465 mail.one.test.',
      '_submission._tcp.one.test SRV 0 0 0 .',
      '_imaps._tcp.one.test SRV 0 1 993 mail.one.test.',
      '_imap._tcp.one.test SRV 0 0 0 .',
      '_pop3s._tcp.one.test SRV 0 0 0 .',
      '_pop3._tcp.one.test SRV 0 0 0 .',
      'autoconfig.one.test CNAME mail.one.test.',
      'autodiscover.one.test CNAME mail.one.test.',
      '_autodiscover._tcp.one.test SRV 0 0 443 mail.one.test.',
    ])
    const rsa = one!.records.find(({ name }) => name.startsWith('202605r'))!
    const strings = [...rsa.value.matchAll(/"([^"]*)"/g)].map(([, text]) => (text as string).length)
    expect(strings.length).toBe(2)
    expect(Math.max(...strings)).toBeLessThanOrEqual(255)
    // RFC 8463 §4.2: 32 octets, not the 44 of a SubjectPublicKeyInfo.
    const ed25519 = one!.records.find(({ name }) => name.startsWith('202605e'))!
    expect(Buffer.from(/p=([^"]*)/.exec(ed25519.value)![1]!, 'base64')).toHaveLength(32)
  })

  test('IMAP goes before POP3, whatever its TLS, and TLS from the first octet before STARTTLS', async () => {
    using admin = await withDomain()
    const services = ['imap', 'imaps', 'pop3', 'pop3s', 'submission', 'submissions'] as const
    admin.context.installation.clientServices = services.map((service, index) => ({ service, port: index + 1 }))
    const [one] = await admin.call('dns.records', {})
    const lines = one!.records.filter(({ type }) => type === 'SRV').map(({ name, value }) => `${name} ${value}`)
    expect(lines).toEqual([
      '_submissions._tcp.one.test 0 1 6 mail.one.test.',
      '_submission._tcp.one.test 10 1 5 mail.one.test.',
      '_imaps._tcp.one.test 0 1 2 mail.one.test.',
      '_imap._tcp.one.test 10 1 1 mail.one.test.',
      '_pop3s._tcp.one.test 20 1 4 mail.one.test.',
      '_pop3._tcp.one.test 30 1 3 mail.one.test.',
      '_autodiscover._tcp.one.test 0 0 443 mail.one.test.',
    ])
  })

  test('records were said to be answered by an https listener that there is not', async () => {
    using admin = await withDomain()
    const told = async () => {
      const [one] = await admin.call('dns.records', {})
      return one!.records.filter(({ type }) => type === 'CNAME').map(({ why }) => why)
    }
    for (const why of await told())
      expect(why).toMatch(/the https listener (serves|answers).* its certificate has to be/)
    delete admin.context.installation.sitePort
    const whys = await told()
    expect(whys).toHaveLength(3)
    for (const why of whys) expect(why).toMatch(/only with an https listener, which is not open here, or a web server/)
  })

  test('a server without anything for mail programs says nothing to them', async () => {
    using admin = await withDomain()
    admin.context.installation.clientServices = []
    const [one] = await admin.call('dns.records', {})
    expect(one!.records.filter(({ purpose }) => purpose.startsWith('autoconfig'))).toEqual([])
  })

  test('a relayed domain needs only its MX', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'far.test', relayTo: 'backup.test' })
    const [far] = await admin.call('dns.records', { domain: 'far.test' })
    expect(far!.records.map(({ purpose }) => purpose)).toEqual(['mx', 'address', 'reverse'])
  })

  test('without any domain it says how to begin', async () => {
    using admin = new TestAdministration()
    await expect(admin.call('dns.records', {})).rejects.toMatchObject({ advice: expect.stringContaining('domain add') })
  })
})

describe('DNS check', () => {
  test('what is published as told is found well', async () => {
    using admin = await withDomain()
    admin.context.resolver = createStaticResolver([zone('one.test', await publish(admin)), reverse])
    expect((await states(admin)).filter((line) => !line.endsWith(' ok'))).toEqual([])
  })

  test('an empty zone lacks everything', async () => {
    using admin = await withDomain()
    admin.context.resolver = createStaticResolver([zone('one.test', []), zone('2.0.192.in-addr.arpa', [])])
    expect((await states(admin)).filter((line) => !line.endsWith(' missing'))).toEqual([])
  })

  test('what differs is shown with what to do', async () => {
    using admin = await withDomain()
    const rows: ZoneRow[] = [
      ['@', 'MX', '5 elsewhere.test.'],
      ['@', 'TXT', 'v=spf1 +all'],
      ['@', 'TXT', 'unrelated=1'],
      ['mail', 'A', '192.0.2.99'],
      ['mail', 'TXT', 'v=spf1 -all'],
      ['202605e._domainkey', 'TXT', 'v=DKIM1; k=ed25519; p=AAAA'],
      ['_imap._tcp', 'SRV', '0 1 143 mail'],
      ['_imaps._tcp', 'SRV', '0 0 0 .'],
      ['autoconfig', 'A', '192.0.2.7'],
      ['_dmarc', 'TXT', 'v=DMARC1; p=none'],
      ['_dmarc', 'TXT', 'v=DMARC1; p=reject'],
    ]
    admin.context.resolver = createStaticResolver([zone('one.test', rows), reverse])
    const [one] = await admin.call('dns.check', { domain: 'one.test' })
    const row = (purpose: string) => one!.records.find((record) => record.purpose === purpose)
    expect(row('mx')).toMatchObject({ state: 'different', found: ['5 elsewhere.test.'] })
    expect(row('spf')).toMatchObject({ state: 'different', advice: expect.stringContaining('everybody') })
    expect(row('helo-spf')).toMatchObject({ state: 'different', advice: expect.stringContaining('nobody') })
    expect(row('address')).toMatchObject({ state: 'different', found: ['192.0.2.99'] })
    expect(row('dkim')).toMatchObject({ state: 'different', advice: expect.stringContaining('another key') })
    expect(row('dmarc')).toMatchObject({ state: 'different', advice: expect.stringContaining('Keep one') })
    expect(row('reverse')).toMatchObject({ state: 'ok' })
    const named = (name: string) => one!.records.find((record) => record.name === `${name}.one.test`)
    expect(named('_imap._tcp')).toMatchObject({ state: 'different', found: ['0 1 143 mail.one.test.'] })
    expect(named('_imaps._tcp')).toMatchObject({ state: 'different', found: ['0 0 0 .'] })
    expect(named('autoconfig')).toMatchObject({ state: 'different', found: ['192.0.2.7'] })
  })

  test('where mail leaves by a smarthost, SPF was to say that only this server sends', async () => {
    using admin = await withDomain()
    admin.context.installation = { ...admin.context.installation, sentBy: () => ['a:smtp.isp.test'] }
    const spf = async (text: string) => {
      admin.context.resolver = createStaticResolver([zone('one.test', [['@', 'TXT', text]])])
      const [one] = await admin.call('dns.check', { domain: 'one.test' })
      return one!.records.find(({ purpose }) => purpose === 'spf')!
    }
    expect(await spf('v=spf1 mx -all')).toMatchObject({
      value: '"v=spf1 mx a:smtp.isp.test ~all"',
      state: 'different',
      advice: expect.stringContaining('other host'),
    })
    for (const text of [
      'v=spf1 mx a:smtp.isp.test ~all',
      'v=spf1 mx include:isp.test -all',
      'v=spf1 redirect=isp.test',
    ]) {
      expect(await spf(text), text).toMatchObject({ state: 'ok' })
    }
  })

  test('a server that has IPv6 alone was said to lack names that led to it', async () => {
    using admin = await withDomain()
    const here = (name: string): ZoneRow => [name, 'AAAA', '2001:db8::1']
    const rows = [here('mail'), here('autoconfig'), here('mta-sts'), ['autodiscover', 'AAAA', '2001:db8::2'] as ZoneRow]
    admin.context.resolver = createStaticResolver([zone('one.test', rows)])
    const found = (await states(admin)).filter((line) => /-host /.test(line))
    expect(found).toEqual(['mta-sts-host ok', 'autoconfig-host ok', 'autoconfig-host different'])
  })

  test('a DNS that does not answer is no missing record', async () => {
    using admin = await withDomain()
    admin.context.resolver = { query: async () => ({ status: 'failed', reason: 'timeout' }) }
    expect(new Set((await states(admin)).map((line) => line.split(' ')[1]))).toEqual(new Set(['unknown']))
  })
})
