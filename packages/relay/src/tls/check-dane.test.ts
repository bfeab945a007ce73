import { createHash, X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate } from 'node:tls'
import { expect, test } from 'vitest'
import { impostor, mail, policy, root } from '../../test/certificates.ts'
import { checkDane } from './check-dane.ts'

const certificates = Object.entries({ leaf: mail.cert, root, other: policy.cert, impostor })
const {
  leaf,
  other,
  impostor: issuedByLeaf,
  root: anchor,
} = Object.fromEntries(certificates.map(([name, pem]) => [name, new X509Certificate(pem)])) as Record<
  string,
  X509Certificate
>

const now = Date.UTC(2026, 0, 1)
const spki = (certificate: X509Certificate | undefined): Buffer =>
  certificate!.publicKey.export({ type: 'spki', format: 'der' })

/** As the peer shows it, the leaf first. */
function shown(...chain: (X509Certificate | undefined)[]): DetailedPeerCertificate {
  const issuerCertificate = chain.length > 1 ? shown(...chain.slice(1)) : undefined
  return { raw: chain[0]?.raw, issuerCertificate } as Partial<DetailedPeerCertificate> as DetailedPeerCertificate
}

const check = (
  peer: DetailedPeerCertificate,
  record: [number, number, number],
  octets: Buffer | undefined,
  at = now,
) => {
  const [usage, selector, matchingType] = record
  return checkDane(peer, [{ usage, selector, matchingType, certificate: octets! }], ['mx.two.test'], at)
}

test.each([
  ['certificate', 0, anchor?.raw],
  ['key', 1, spki(anchor)],
] as const)('an anchor whose whole %s is in the record need not be shown (RFC 7671 §5.2)', (_, selector, octets) => {
  expect(check(shown(leaf), [2, selector, 0], octets)).toMatch(/^TLSA 2 /)
  expect(check(shown(leaf, anchor), [2, selector, 0], octets)).toMatch(/^TLSA 2 /)
})

const digest = createHash('sha256').update(anchor!.raw).digest()
/** The leaf with another signature: the name and the key of who is said to have issued it are public. */
const forged = Buffer.from(leaf!.raw)
forged[forged.length - 1]! ^= 1

test.each([
  ['of an anchor that issued nothing of it', shown(leaf, anchor), [2, 1, 0], spki(other)],
  ['of the leaf alone, which is no anchor', shown(leaf, anchor), [2, 0, 0], leaf?.raw],
  ['whose key cannot be read', shown(leaf, anchor), [2, 1, 0], Buffer.from('no key')],
  ['of an anchor that has not signed it', shown(new X509Certificate(forged), anchor), [2, 0, 1], digest],
  ['of an anchor that is not shown', shown(leaf), [2, 0, 1], digest],
  ['of an anchor that another certificate leads to', shown(leaf, other, anchor), [2, 0, 1], digest],
  ['of an anchor, where who issued the leaf is no authority', shown(issuedByLeaf, leaf, anchor), [2, 0, 1], digest],
] as [string, DetailedPeerCertificate, [number, number, number], Buffer][])(
  'a record %s',
  (_, peer, record, octets) => {
    expect(() => check(peer, record, octets)).toThrow('none that the TLSA records stand for')
  },
)

test('below an anchor a certificate that is out of date is refused, one that has its own record is not', () => {
  expect(check(shown(leaf, anchor), [2, 0, 1], digest)).toMatch(/^TLSA 2 /)
  const later = Date.UTC(2121, 0, 1)
  for (const at of [later, 0]) {
    expect(() => check(shown(leaf, anchor), [2, 0, 1], digest, at)).toThrow('none that the TLSA records stand for')
  }
  // RFC 7671 §5.1.
  expect(check(shown(leaf), [3, 0, 0], leaf?.raw, later)).toMatch(/^TLSA 3 /)
})

test('a thousand records of a hostile domain were each held against every signature of its chain', () => {
  const miss = { usage: 2, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) }
  const hit = { ...miss, selector: 0, certificate: digest }
  const among = (misses: number) => () =>
    checkDane(shown(leaf, anchor), [...Array<typeof miss>(misses).fill(miss), hit], ['mx.two.test'], now)
  expect(among(31)()).toMatch(/^TLSA 2 /)
  expect(among(1000)).toThrow('none that the TLSA records stand for')
})

test('who shows no certificate is refused', () => {
  expect(() => check(shown(undefined), [3, 0, 0], leaf?.raw)).toThrow('the peer shows no certificate')
})
