/** An aggregate report of DMARC as XML. */
import type { DmarcRecord } from '@pennypost/message-auth'
import { describe, expect, test } from 'vitest'
import { type DmarcReportFacts, dmarcXml } from './dmarc-report.ts'
import type { CountedRow } from './dmarc-rows.ts'

const record: DmarcRecord = {
  policy: 'reject',
  subdomainPolicy: 'quarantine',
  nonExistentPolicy: 'reject',
  alignment: { dkim: 'strict', spf: 'relaxed' },
  isTest: false,
  publicSuffix: 'unknown',
  reportUris: ['mailto:d@two.test'],
  applies: true,
}
const row: CountedRow = {
  domain: 'two.test',
  sourceAddress: '2001:db8::1',
  disposition: 'pass',
  isOverridden: false,
  dkim: 'pass',
  spf: 'fail',
  headerFrom: 'mail.two.test',
  envelopeFrom: '',
  signatures: [{ domain: 'two.test', selector: 's1', result: 'pass' }],
  sender: { domain: 'mx.two.test', result: 'none' },
  isReport: false,
  count: 12,
}
const facts: DmarcReportFacts = {
  domain: 'two.test',
  day: '2026-01-01',
  hostname: 'mail.one.test',
  contact: 'postmaster@one.test',
  id: 'r1',
  record,
  rows: [row],
}
const forged: CountedRow = { ...row, dkim: 'fail', disposition: 'none' }

test('all that RFC 9990 appendix A wants, in its order', () => {
  expect(dmarcXml(facts)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
<version>1.0</version>
<report_metadata>
  <org_name>mail.one.test</org_name>
  <email>postmaster@one.test</email>
  <report_id>r1</report_id>
  <date_range>
    <begin>1767225600</begin>
    <end>1767311999</end>
  </date_range>
  <generator>Pennypost</generator>
</report_metadata>
<policy_published>
  <domain>two.test</domain>
  <discovery_method>treewalk</discovery_method>
  <p>reject</p>
  <sp>quarantine</sp>
  <np>reject</np>
  <adkim>s</adkim>
  <aspf>r</aspf>
  <testing>n</testing>
</policy_published>
<record>
  <row>
    <source_ip>2001:db8::1</source_ip>
    <count>12</count>
    <policy_evaluated>
      <disposition>pass</disposition>
      <dkim>pass</dkim>
      <spf>fail</spf>
    </policy_evaluated>
  </row>
  <identifiers>
    <header_from>mail.two.test</header_from>
    <envelope_from></envelope_from>
  </identifiers>
  <auth_results>
    <dkim>
      <domain>two.test</domain>
      <selector>s1</selector>
      <result>pass</result>
    </dkim>
    <spf>
      <domain>mx.two.test</domain>
      <scope>mfrom</scope>
      <result>none</result>
    </spf>
  </auth_results>
</record>
</feedback>
`)
})

describe('why less was done than the domain asks for', () => {
  const typesIn = (xml: string) => [...xml.matchAll(/<type>(.*)<\/type>/g)].map(([, type]) => type)

  test('our policy', () => {
    expect(typesIn(dmarcXml({ ...facts, rows: [{ ...forged, isOverridden: true }] }))).toEqual(['local_policy'])
  })

  test('its own test mode, of what failed only', () => {
    const tested = { ...facts, record: { ...record, isTest: true } }
    expect(typesIn(dmarcXml({ ...tested, rows: [forged, row] }))).toEqual(['policy_test_mode'])
  })
})

test('names that strangers chose stay where they are', () => {
  const signatures = [{ domain: 'a</domain>&<x>', selector: 's\u0000\n\u{1F600}"', result: 'fail' as const }]
  const xml = dmarcXml({ ...facts, rows: [{ ...row, signatures }] })
  expect(xml).toContain('<domain>a&lt;/domain&gt;&amp;&lt;x&gt;</domain>')
  expect(xml).toContain('<selector>s????"</selector>')
})
