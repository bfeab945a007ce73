/**
 * SPF cases of our own (RFC 7208), for a clone without the public suite: each a record, what else the DNS says, who
 * connects, and what that comes to.
 */
import { createStaticResolver, type ZoneRow, zone } from '@pennypost/dns'
import { createChecker } from '@pennypost/message-auth'
import { type Resolver, silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { afterAll, describe, expect, it } from 'vitest'

interface Case {
  record: string | string[]
  /** Further records of two.test. */
  zone?: ZoneRow[]
  from?: string
  reversePath?: string
  helo?: string
  result: string
}

const cases: Record<string, Case> = {
  'ip4 passes': { record: 'v=spf1 ip4:192.0.2.7 -all', result: 'pass' },
  'ip4 by network': { record: 'v=spf1 ip4:192.0.2.0/28 -all', result: 'pass' },
  'ip4 of another network': { record: 'v=spf1 ip4:192.0.2.16/28 -all', result: 'fail' },
  'ip6 by network': { record: 'v=spf1 ip6:2001:db8::/32 -all', from: '2001:db8:1::7', result: 'pass' },
  'an IPv4-mapped address is IPv4': { record: 'v=spf1 ip4:192.0.2.7 -all', from: '::ffff:192.0.2.7', result: 'pass' },
  'soft fail': { record: 'v=spf1 ~all', result: 'softfail' },
  'neutral by word': { record: 'v=spf1 ?all', result: 'neutral' },
  'neutral when nothing matches (§4.7)': { record: 'v=spf1 ip4:198.51.100.1', result: 'neutral' },
  'no record': { record: [], result: 'none' },
  'what only looks like a record': { record: 'v=spf10 -all', result: 'none' },
  'two records (§4.5)': { record: ['v=spf1 +all', 'v=spf1 -all'], result: 'permerror' },
  'an unknown mechanism (§4.6)': { record: 'v=spf1 tel:123 -all', result: 'permerror' },
  'an unknown modifier is passed over (§6)': { record: 'v=spf1 moo=x ip4:192.0.2.7 -all', result: 'pass' },
  'a bad network': { record: 'v=spf1 ip4:192.0.2.7/33 -all', result: 'permerror' },
  'a, mx and exists': {
    record: 'v=spf1 a:a.two.test mx exists:%{ir}.x.two.test -all',
    zone: [
      ['@', 'MX', '10 m'],
      ['m', 'A', '192.0.2.7'],
      ['a', 'A', '198.51.100.1'],
    ],
    result: 'pass',
  },
  'exists with a macro (§7)': {
    record: 'v=spf1 exists:%{l}.%{ir}.x.two.test -all',
    zone: [['alice.7.2.0.192.x', 'A', '127.0.0.2']],
    result: 'pass',
  },
  'include passes': {
    record: 'v=spf1 include:i.two.test -all',
    zone: [['i', 'TXT', 'v=spf1 ip4:192.0.2.7 -all']],
    result: 'pass',
  },
  'a fail inside an include is no match (§5.2)': {
    record: 'v=spf1 include:i.two.test ~all',
    zone: [['i', 'TXT', 'v=spf1 -all']],
    result: 'softfail',
  },
  'an include without record (§5.2)': { record: 'v=spf1 include:none.two.test -all', result: 'permerror' },
  redirect: {
    record: 'v=spf1 redirect=r.two.test',
    zone: [['r', 'TXT', 'v=spf1 ip4:192.0.2.7 -all']],
    result: 'pass',
  },
  'redirect to nothing (§6.1)': { record: 'v=spf1 redirect=none.two.test', result: 'permerror' },
  'an include of itself ends at ten lookups (§4.6.4)': { record: 'v=spf1 include:two.test -all', result: 'permerror' },
  'eleven lookups (§4.6.4)': {
    record: `v=spf1 ${Array.from({ length: 11 }, (_, at) => `a:h${at}.two.test`).join(' ')} -all`,
    zone: Array.from({ length: 11 }, (_, at): ZoneRow => [`h${at}`, 'A', '198.51.100.1']),
    result: 'permerror',
  },
  'three names that do not exist (§4.6.4)': {
    record: 'v=spf1 a:n1.two.test a:n2.two.test a:n3.two.test ip4:192.0.2.7 -all',
    result: 'permerror',
  },
  'the null reverse-path is HELO (§2.4)': {
    record: 'v=spf1 ip4:192.0.2.7 -all',
    reversePath: '',
    helo: 'two.test',
    result: 'pass',
  },
  'the null reverse-path of an address literal': {
    record: 'v=spf1 -all',
    reversePath: '',
    helo: '[192.0.2.7]',
    result: 'none',
  },
  'ptr is known': {
    record: 'v=spf1 ptr -all',
    zone: [['mail', 'A', '192.0.2.7']],
    result: 'pass',
  },
}

describe('SPF', () => {
  let dns: Resolver = createStaticResolver([])
  // One for all cases: its worker takes a while to start.
  const checker = createChecker({
    resolver: { query: (name, type, signal) => dns.query(name, type, signal) },
    clock: virtualClock(),
    deadline: systemDeadline,
    log: silentLog,
    hostname: 'mail.one.test',
  })
  afterAll(() => checker[Symbol.asyncDispose]())

  it.each(Object.entries(cases))('%s', async (_, { record, zone: more = [], from = '192.0.2.7', ...facts }) => {
    const rows = [record].flat().map((text): ZoneRow => ['@', 'TXT', text])
    const reverse = zone('2.0.192.in-addr.arpa', [['7', 'PTR', 'mail.two.test.']])
    dns = createStaticResolver([zone('two.test', [...rows, ...more]), reverse])
    const { reversePath = 'alice@two.test', helo = 'mail.two.test', result } = facts
    const sender = { clientAddress: from, helo, reversePath }
    expect(await checker.checkSender(sender, new AbortController().signal)).toMatchObject({ result })
  })
})
