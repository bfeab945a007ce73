import fc from 'fast-check'
import { expect, test } from 'vitest'
import { authenticationResults } from './authentication-results.ts'
import type { DkimFinding, DmarcFinding, Finding, SpfFinding } from './findings/finding.ts'

const spf: SpfFinding = { check: 'spf', result: 'pass', identity: 'mailfrom', domain: 'one.test', detail: 'x' }
const dkim: DkimFinding = {
  check: 'dkim',
  result: 'pass',
  detail: '',
  signatures: [
    { result: 'pass', domain: 'one.test', selector: 's', algorithm: 'rsa-sha256', start: 'abcd/+==', detail: '' },
    {
      result: 'fail',
      domain: 'list.test',
      selector: 't',
      algorithm: 'ed25519-sha256',
      start: 'x',
      detail: 'bad (signature)',
    },
  ],
}
const dmarc: DmarcFinding = {
  check: 'dmarc',
  result: 'pass',
  detail: 'spf one.test',
  authorDomain: 'one.test',
  policyDomain: 'one.test',
  policy: 'reject',
  alignment: { spf: 'yes', dkim: ['yes', 'no'] },
}

test('the reason for the verdict was in the journey alone', () => {
  const field = authenticationResults('mx.two.test', [], { action: 'quarantine', reason: 'dmarc-quarantine' })
  expect(field).toBe('Authentication-Results: mx.two.test;\r\n\tx-verdict=quarantine reason=dmarc-quarantine\r\n')
})

test('every method with its properties', () => {
  const findings: Finding[] = [
    { check: 'reverse-dns', result: 'pass', address: '192.0.2.1', name: 'mail.one.test', detail: '' },
    { check: 'dnsbl', result: 'not-listed', zone: 'list.test', address: '192.0.2.1', codes: [], detail: '' },
    { check: 'dnswl', result: 'listed', zone: 'white.test', address: '192.0.2.1', codes: ['127.0.9.2'], detail: '' },
    spf,
    dkim,
    { check: 'arc', result: 'pass', sealer: 'list.test', instance: 2, detail: 'sealed by list.test' },
    dmarc,
  ]
  expect(authenticationResults('mx.two.test', findings)).toBe(
    [
      'Authentication-Results: mx.two.test;',
      '\tiprev=pass (mail.one.test) policy.iprev=192.0.2.1;',
      '\tdnswl=pass dns.zone=white.test policy.ip=127.0.9.2;',
      '\tspf=pass smtp.mailfrom=one.test;',
      '\tdkim=pass header.d=one.test header.s=s header.a=rsa-sha256',
      '\t header.b="abcd/+==";',
      '\tdkim=fail (bad \\(signature\\)) header.d=list.test header.s=t',
      '\t header.a=ed25519-sha256 header.b=x;',
      '\tarc=pass (i=2 sealed by list.test) arc.sealer=list.test;',
      '\tdmarc=pass (spf one.test) policy.dmarc=reject header.from=one.test',
      '',
    ].join('\r\n'),
  )
})

test('nothing checked is said so', () => {
  expect(authenticationResults('mx.two.test', [])).toBe('Authentication-Results: mx.two.test;\r\n\tnone\r\n')
})

test('what was unavailable is a temporary error', () => {
  expect(authenticationResults('mx', [{ ...spf, result: 'unavailable', detail: 'no time' }])).toContain(
    'spf=temperror (no time) smtp.mailfrom=one.test',
  )
})

test('no text of a stranger leaves its place', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '(', ')', ';', '\r', '\n', '=', ' ', 'é', '\t'),
    maxLength: 300,
  })
  fc.assert(
    fc.property(text, text, (domain, detail) => {
      const field = authenticationResults('mx.two.test', [
        { ...spf, domain, detail, result: 'fail' },
        { ...dkim, signatures: [{ ...dkim.signatures[0]!, domain, detail, selector: domain }] },
      ])
      // Quoted strings and comments aside, what is left is made of the words of the grammar.
      const bare = field
        .replaceAll(/"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)/g, ([first]) => (first === '"' ? 'QUOTED' : 'COMMENT'))
        .replaceAll(/\r\n[\t ]+/g, ' ')
      expect(bare).toMatch(
        /^Authentication-Results: mx\.two\.test; spf=fail( COMMENT)?( smtp\.mailfrom=(QUOTED|a+))?; dkim=pass( COMMENT)?( header\.[dsa]=(QUOTED|[a-z0-9-]+))* header\.b=QUOTED\r\n$/,
      )
    }),
    { numRuns: 500, seed: 8601 },
  )
})
