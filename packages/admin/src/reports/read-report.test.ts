import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readReport } from './read-report.ts'
import { unpack } from './unpack.ts'

const dmarc = `<?xml version="1.0"?>
<feedback>
  <report_metadata><org_name>Two &amp; Co</org_name><report_id>r1</report_id>
    <date_range><begin>1767225600</begin><end>1767311999</end></date_range></report_metadata>
  <policy_published><domain>one.test</domain><p>none</p></policy_published>
  <record><row><source_ip>192.0.2.1</source_ip><count>7</count>
    <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>one.test</header_from></identifiers></record>
  <record><row><source_ip>203.0.113.9</source_ip><count>2</count>
    <policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>one.test</header_from></identifiers></record>
</feedback>`

const tls = JSON.stringify({
  'organization-name': 'Two',
  'date-range': { 'start-datetime': '2026-01-01T00:00:00Z', 'end-datetime': '2026-01-01T23:59:59Z' },
  'report-id': 't1',
  policies: [
    {
      policy: { 'policy-type': 'sts', 'policy-domain': 'one.test' },
      summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 3 },
      'failure-details': [
        { 'result-type': 'certificate-expired', 'receiving-mx-hostname': 'mail.one.test', 'failed-session-count': 3 },
      ],
    },
  ],
})

describe('a report', () => {
  test('behind a byte order mark and white space', () => {
    expect(readReport(Buffer.from(`\uFEFF\r\n${tls}\n`))).toEqual(readReport(Buffer.from(tls)))
  })

  test('of nothing but white space was tried in every way to cut it', () => {
    expect(readReport(Buffer.alloc(4 * 1024 * 1024, '\t'))).toBeUndefined()
  })

  test('of DMARC', () => {
    expect(readReport(Buffer.from(dmarc))).toEqual({
      kind: 'dmarc',
      organization: 'Two & Co',
      id: 'r1',
      domain: 'one.test',
      passed: 7,
      failed: 2,
      beginsAt: Date.UTC(2026, 0, 1),
      endsAt: Date.UTC(2026, 0, 2) - 1000,
      failures: [{ what: '203.0.113.9', count: 2, why: 'DKIM fail, SPF fail, quarantine, from one.test' }],
    })
  })

  test('of records that begin and never end takes no longer for it', () => {
    const head = dmarc.slice(0, dmarc.indexOf('<record>'))
    // Looking for the end of each from its start would be 10^12 steps.
    expect(readReport(Buffer.from(head + '<record>'.repeat(1_250_000)))).toMatchObject({ passed: 0, failures: [] })
  })

  test('of millions of small values was read for seconds', () => {
    const many = (value: string): string =>
      `{"policies":[{"failure-details":[${`${value},`.repeat(200_000)}${value}]}]}`
    for (const value of ['{}', '[]', '1']) expect(readReport(Buffer.from(many(value)))).toBeUndefined()
    const long = dmarc.replace('<domain>one.test', `<domain>${'&amp;'.repeat(100_000)}`)
    expect(readReport(Buffer.from(long))).toBeUndefined()
  })

  test('of TLS', () => {
    expect(readReport(Buffer.from(tls))).toMatchObject({
      kind: 'tls',
      organization: 'Two',
      domain: 'one.test',
      passed: 5,
      failed: 3,
      failures: [{ what: 'mail.one.test', count: 3, why: 'certificate-expired' }],
    })
  })

  test('kept all of its document in memory, and thousands of small attachments, all there is', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const octets = (): number => {
      collectGarbage()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const size = 4 * 1024 * 1024
    const name = `<org_name>Two and its companions</org_name>`
    const long = JSON.stringify({ 'organization-name': 'x'.repeat(size), policies: [{}] })
    const before = octets()
    const kept = Array.from({ length: 10 }, () => [
      readReport(Buffer.from(dmarc.replace('<org_name>Two &amp; Co</org_name>', name) + ' '.repeat(size) + '!')),
      readReport(Buffer.from(long)),
    ]).flat()
    await expect.poll(() => octets() - before).toBeLessThan(2 * size)
    expect(kept.map((report) => report?.kind)).toContain('tls')
  })

  test('had texts of thousands of characters', () => {
    const long = 'x'.repeat(5000)
    const report = readReport(Buffer.from(dmarc.replaceAll(/<(source_ip|spf|header_from)>[^<]*/g, `<$1>${long}`)))
    expect(report?.failures.every(({ what, why }) => what.length + why.length <= 510)).toBe(true)
    expect(report?.failures).not.toEqual([])
  })

  test.each(['99999999999999999999', '-1e300', 'NaN', '1e999', 'x'])(
    'with %s for a time and a count broke the list',
    (number) => {
      const text = dmarc
        .replace(/<(begin|end|count)>[^<]*/g, `<$1>${number}`)
        .replaceAll('<dkim>pass', '<dkim>fail')
        .replaceAll('<spf>pass', '<spf>fail')
      const report = readReport(Buffer.from(text))
      expect(report).toMatchObject({ beginsAt: 0, endsAt: 0, passed: 0, failed: 0 })
    },
  )

  test.each(['', '{', '{}', '[]', '<html></html>', '<feedback></feedback>', '{"policies":[1]}', '{"policies":"x"}'])(
    '%j never throws',
    (text) => {
      const report = readReport(Buffer.from(text))
      expect(report?.passed ?? 0).toBe(0)
    },
  )
})

describe('what it is packed in', () => {
  const document = Buffer.from(dmarc)

  test('nothing, and gzip', async () => {
    expect((await unpack(document))?.equals(document)).toBe(true)
    expect((await unpack(gzipSync(document)))?.equals(document)).toBe(true)
  })

  test.each([0, 8])('ZIP, method %d', async (method) => {
    const zip = zipOf(document, method)
    expect((await unpack(zip))?.equals(document)).toBe(true)
    for (let end = 0; end < zip.length; end += 7) await unpack(zip.subarray(0, end))
  })

  test('a bomb gives nothing', async () => {
    expect(await unpack(gzipSync(Buffer.alloc(20 * 1024 * 1024)))).toBeUndefined()
    expect(await unpack(zipOf(Buffer.alloc(20 * 1024 * 1024), 8))).toBeUndefined()
  })
})

/** One file, its sizes in the central directory only, as a streaming writer leaves them. */
function zipOf(content: Buffer, method: number): Buffer {
  const packed = method === 0 ? content : deflateRawSync(content)
  const local = Buffer.alloc(30)
  local.write('PK\x03\x04', 'latin1')
  local.writeUInt16LE(method, 8)
  local.writeUInt16LE(1, 26)
  const central = Buffer.alloc(46)
  central.write('PK\x01\x02', 'latin1')
  central.writeUInt16LE(method, 10)
  central.writeUInt32LE(packed.length, 20)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt32LE(31 + packed.length, 16)
  return Buffer.concat([local, Buffer.from('r'), packed, central, end])
}
