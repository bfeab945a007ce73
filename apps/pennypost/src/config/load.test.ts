import { describe, expect, it } from 'vitest'
import { ConfigError } from './document.ts'
import { checkConfig } from './load.ts'
import { dnsListsOf } from './policy.ts'
import { parseDuration, parseHostPort, parseSize } from './quantity.ts'

const faults = (document: string) => {
  try {
    checkConfig('pennypost.toml', document)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ line, key, text }) => `${line} ${key}: ${text}`)
    throw error
  }
  return []
}

describe('configuration', () => {
  it('needs nothing but a hostname', () => {
    const config = checkConfig('x', 'hostname = "mail.one.test"')
    expect(config.relay).toMatchObject({ port: 25, expire: 432_000_000, delay_warning: 14_400_000 })
    expect(config.relay.retry[0]).toBe(900_000)
    expect(config.limits.message_size).toBe(52_428_800)
    expect(config.policy.require_tls_for_auth).toBe(true)
  })

  it('the names of a certificate were ordered as they were written, which no authority knows', () => {
    const acme = '[tls.acme]\naccept_terms = true\nnames = ["Mail.One.TEST", "bücher.test"]'
    const { tls } = checkConfig('x', `hostname = "mail.one.test"\n${acme}`)
    expect(tls?.acme?.names).toEqual(['mail.one.test', 'xn--bcher-kva.test'])
  })

  it('reports every fault at once, with line and key', () => {
    const document = [
      'hostname = "not a host"',
      'colour = "red"',
      '[relay]',
      'retry = ["15m", "soon"]',
      'expire = "5 days"',
      '[[listener]]',
      'service = "smtp"',
      'address = "127.0.0.1"',
      'port = 25',
      '[[listener]]',
      'service = "gopher"',
      'address = "127.0.0.1"',
      'port = 70',
    ].join('\n')
    const found = faults(document)
    expect(found).toContainEqual(expect.stringMatching(/^1 hostname: is no host name/))
    expect(found).toContainEqual('2 colour: is not a key that Pennypost knows')
    expect(found).toContainEqual(expect.stringMatching(/^4 relay\.retry\.1: is no duration/))
    expect(found).toContainEqual(expect.stringMatching(/^5 relay\.expire: is no duration/))
    expect(found).toContainEqual(expect.stringMatching(/^11 listener\.1\.service: /))
    expect(found).toHaveLength(5)
  })

  it('a word that is none of those that there are was an "invalid option"', () => {
    const policy = (line: string) => faults(`hostname = "a.test"\n[policy]\n${line}`)
    expect(policy('dmarc = "yes"')).toEqual(['3 policy.dmarc: has to be "accept", "quarantine" or "enforce"'])
    expect(policy('dnsbl = ["no zone"]')).toEqual(['3 policy.dnsbl.0: is no zone of a DNS list'])
    expect(policy('dnsbl = [{ zone = "a.test", answers = ["1"] }]')).toEqual([
      '3 policy.dnsbl.0.answers.0: is no answer of a list; write e.g. "127.0.0.2", "127.0.0.2-11"',
    ])
  })

  it('a misspelt [[listener]] was a fault without a line', () => {
    expect(faults('hostname = "a.test"\n\n[[listeners]]\nport = 25')).toEqual([
      '3 listeners: is not a key that Pennypost knows',
    ])
  })

  it('tells a value of the wrong type from a missing one: a text for a list was "missing"', () => {
    const relay = (more: string) => faults(`hostname = "a.test"\n[relay]\n${more}`)
    expect(relay('retry = "2s"')).toEqual([expect.stringMatching(/^3 relay\.retry: has to be a list/)])
    expect(relay('expire = 5')).toEqual([expect.stringMatching(/^3 relay\.expire: has to be text in quotes/)])
    expect(relay('[relay.tls]\ndomain = "b.test"')).toEqual([expect.stringContaining('relay.tls: has to be a list')])
    expect(relay('[[relay.tls]]\nlevel = "dane"')).toEqual([expect.stringContaining('relay.tls.0.domain: is missing')])
    expect(relay('[[relay.tls]]\ndomain = "b.test"')).toEqual([
      expect.stringContaining('relay.tls.0.level: is missing; it is "may", "encrypt", "verify" or "dane"'),
    ])
    expect(faults('')).toEqual([expect.stringContaining('hostname: is missing')])
  })

  it('whoever had to wait for longer than a first try is remembered began anew each time, and was never heard', () => {
    const waiting = (delay: string) => faults(`hostname = "a.test"\n[policy]\ngreylist_delay = "${delay}"`)
    expect(waiting('1d')).toEqual([])
    expect(waiting('3d')).toEqual(['3 policy.greylist_delay: is too long; at most "1d"'])
  })

  it('a listener that only trusted networks were to reach was open to all: the key is of lmtp alone', () => {
    const listener = (service: string) =>
      faults(
        `hostname = "a.test"\n[[listener]]\nservice = "${service}"\naddress = "::"\nport = 24\ntrusted = ["10.0.0.0/8"]`,
      )
    expect(listener('lmtp')).toEqual([])
    expect(listener('submission')).toEqual(['2 listener.0: has trusted, which only lmtp knows'])
  })

  it('has the hostname as addresses are looked up: with a capital in it, its postmaster was nobody of ours', () => {
    expect(checkConfig('x', 'hostname = "Mail.Bücher.Test"').hostname).toBe('mail.xn--bcher-kva.test')
  })

  it('says that the administrator has no such address, not that mail for postmaster@ reaches nobody', () => {
    expect(faults('hostname = "a.test"\n[admin]\naddress = "foo"')).toEqual([
      expect.stringMatching(/^3 admin\.address: is no address/),
    ])
  })

  it('says of a name server that it is none, not the start of the server', () => {
    const found = faults('hostname = "a.test"\n[dns]\nservers = ["127.0.0.1", "[::1]:53", "dns.one.test:53", ""]')
    expect(found).toEqual([
      expect.stringMatching(/^3 dns\.servers\.2: is no address/),
      expect.stringMatching(/^3 dns\.servers\.3: is no address/),
    ])
  })

  it('takes no login name without its password: mail went to the smarthost without both', () => {
    expect(faults('hostname = "a.test"\n[relay]\nsmarthost = "b.test"\nsmarthost_user = "me"')).toEqual([
      expect.stringContaining('relay: needs both smarthost_user and smarthost_password_file'),
    ])
    expect(faults('hostname = "a.test"\n[[relay.route]]\ndomain = "b.test"\nto = "c.test"\nuser = "me"')).toEqual([
      expect.stringContaining('relay.route.0: needs both user and password_file'),
    ])
  })

  it('takes demands of TLS by domain and below it, and says what is wrong with one', () => {
    const table = (more: string) => `hostname = "a.test"\n[[relay.tls]]\n${more}`
    const { relay } = checkConfig('x', table('domain = ".Two.test"\nlevel = "verify"\nnames = ["MX.three.test"]'))
    expect(relay.tls).toEqual([{ domain: '.two.test', level: 'verify', names: ['mx.three.test'] }])
    expect(faults(table('domain = "a b"\nlevel = "none"'))).toEqual([
      expect.stringMatching(/^3 relay\.tls\.0\.domain: is no name/),
      expect.stringMatching(/^4 relay\.tls\.0\.level: /),
    ])
    expect(faults(table('domain = "two.test"\nlevel = "dane"\nnames = ["two.test"]'))).toEqual([
      expect.stringMatching(/has names, which only "verify" looks at/),
    ])
  })

  it('takes no Unix socket for http: such a listener was not opened, and nothing was said', () => {
    expect(faults('hostname = "a.test"\n[[listener]]\nservice = "http"\npath = "/run/x"')).toEqual([
      expect.stringContaining('listener.0: has a path, which http does not know'),
    ])
  })

  it('opened no second listener at one place, and blamed another program', () => {
    const listener = (port: number, more = '') => `[[listener]]\nservice = "smtp"\n${more}port = ${port}\n`
    const at = 'address = "127.0.0.1"\n'
    const socket = '[[listener]]\nservice = "lmtp"\npath = "/run/lmtp"\n'
    const document = `hostname = "a.test"\n${listener(25, at)}${listener(25, 'address = "::1"\n')}${listener(25, at)}`
    expect(faults(document + socket + socket)).toEqual([
      '13 listener.2.port: is that of another listener: 127.0.0.1:25',
      '19 listener.4.path: is that of another listener: /run/lmtp',
    ])
    expect(faults(`hostname = "a.test"\n${listener(0, at)}${listener(0, at)}`)).toEqual([])
  })

  it('tried mail again without end where a step of the schedule was no time at all', () => {
    expect(faults('hostname = "a.test"\n[relay]\nretry = ["15m", "0s"]')).toEqual([
      '3 relay.retry.1: is no time to wait',
    ])
    expect(faults('hostname = "a.test"\n[relay]\nretry = []')).toEqual(['3 relay.retry: needs a step'])
  })

  it.each(['192.0.2.1', '2001:db8::1'])('took the address %s for a name', (address) => {
    expect(faults(`hostname = "${address}"`)).toEqual([expect.stringMatching(/^1 hostname: is no host name/)])
  })

  it('says where the file is not TOML', () => {
    expect(faults('hostname = "a.test"\nroles = [\n')).toEqual([expect.stringMatching(/^\d+ : is not TOML: /)])
  })

  it('says what is missing', () => {
    expect(faults('data_dir = "x"')).toEqual([expect.stringMatching(/hostname: is missing/)])
  })

  it('takes DNS lists with and without the answers that count, and networks that are none as faults', () => {
    const policy = '[policy]\ndnsbl = ["zen.example.test", { zone = "bl.test", answers = ["127.0.0.2-4"] }]'
    const config = checkConfig('x', `hostname = "a.test"\n${policy}`)
    expect(config.policy.dnsbl).toEqual([
      { zone: 'zen.example.test', answers: [] },
      { zone: 'bl.test', answers: ['127.0.0.2-4'] },
    ])
    const [, list] = dnsListsOf(config)
    expect(
      ['127.0.0.2', '127.0.0.4', '127.0.0.5', '127.0.0.22'].filter(
        (code) => list?.codes?.[0]?.exec(code)?.[0] === code,
      ),
    ).toEqual(['127.0.0.2', '127.0.0.4'])
    expect(faults('hostname = "a.test"\n[policy]\nexempt = ["10.0.0.0/33"]\nspf = "reject"')).toEqual([
      expect.stringMatching(/^3 policy\.exempt\.0: is no address or network/),
      expect.stringMatching(/^4 policy\.spf: /),
    ])
  })

  it('takes no answer that a DNS list can never give: such an entry was never met', () => {
    const entry = (answer: string) => `{ zone = "bl.test", answers = ["${answer}"] }`
    const document = (answer: string) => `hostname = "a.test"\n[policy]\ndnsbl = [${entry(answer)}]`
    for (const answer of ['127.0.0.300', '127.0.0.9-2', '127.0.0.2-256', '127.0.0', '192.0.2.1']) {
      expect(faults(document(answer)), answer).toHaveLength(1)
    }
    expect(faults(document('127.0.1.2-2'))).toEqual([])
  })

  it('takes no MTA-STS policy of more than a year: it was served, and others refused it or changed it', () => {
    const document = (age: string) => `hostname = "a.test"\n[mta_sts]\nmax_age = "${age}"`
    expect(faults(document('52w'))).toEqual([])
    expect(faults(document('53w'))).toEqual([expect.stringMatching(/^3 mta_sts\.max_age: is more than the year/)])
  })

  it('knows a trusted device and its account by the one spelling of each', () => {
    const document = (account: string) =>
      `hostname = "a.test"\n[submission]\ntrusted = [{ address = "2001:DB8:0:0::7", account = "${account}" }]`
    const { submission } = checkConfig('pennypost.toml', document('Scanner@Müller.example'))
    expect(submission.trusted).toEqual([{ address: '2001:db8::7', account: 'scanner@xn--mller-kva.example' }])
    expect(faults(document('scanner'))).toHaveLength(1)
  })

  it('opens no LMTP on port 25: what is meant for a server there would be taken for final (RFC 2033 §5)', () => {
    const at = (port: number) =>
      faults(`hostname = "a.test"\n[[listener]]\nservice = "lmtp"\naddress = "127.0.0.1"\nport = ${port}`)
    expect(at(25)).toEqual([expect.stringMatching(/lmtp on port 25/)])
    expect(at(24)).toEqual([])
  })

  it('knows two spellings of one address for two listeners at one place', () => {
    const at = (address: string) => `[[listener]]\nservice = "imap"\naddress = "${address}"\nport = 143\n`
    expect(faults(`hostname = "a.test"\n${at('::1')}${at('0:0::1')}`)).toHaveLength(1)
    // What is behind the percent sign is no part of the address, and is needed.
    const { listener } = checkConfig('pennypost.toml', `hostname = "a.test"\n${at('fe80::1%eth0')}`)
    expect(listener[0]?.address).toBe('fe80::1%eth0')
  })

  it('wants an address or a path for a listener, not both', () => {
    expect(faults('hostname = "a.test"\n[[listener]]\nservice = "lmtp"\n')).toHaveLength(1)
    expect(faults('hostname = "a.test"\n[[listener]]\nservice = "lmtp"\npath = "/run/x"\n')).toEqual([])
  })
})

describe('quantities', () => {
  it.each([
    ['3s', 3000],
    ['1h30m', 5_400_000],
    ['5d', 432_000_000],
    ['250ms', 250],
    ['', undefined],
    ['5', undefined],
    ['5 days', undefined],
  ])('duration %s', (text, value) => expect(parseDuration(text)).toBe(value))

  it.each([
    ['50MB', 52_428_800],
    ['2g', 2 * 1024 ** 3],
    ['100', 100],
    ['0', 0],
    ['lots', undefined],
  ])('size %s', (text, value) => expect(parseSize(text)).toBe(value))

  it.each([
    ['127.0.0.1:5353', { host: '127.0.0.1', port: 5353 }],
    ['[::1]:53', { host: '::1', port: 53 }],
    ['mail.one.test', { host: 'mail.one.test', port: 25 }],
    ['::1', undefined],
    ['a:0', undefined],
  ])('host and port %s', (text, value) => expect(parseHostPort(text, 25)).toEqual(value))
})
