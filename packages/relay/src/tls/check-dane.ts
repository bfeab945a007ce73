/**
 * Whether a peer's certificate is one that the TLSA records of its host stand for (RFC 7671, RFC 7672 §3). Pure.
 *
 * Never broken: DANE-EE looks at nothing but the leaf, neither at names nor at dates; DANE-TA needs an unbroken chain of
 * signatures from the leaf to the anchor, dates that hold, and one of the names.
 * Who calls it: the handshake of a connection whose host has usable records.
 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls'
import { describeTlsa, type Tlsa } from './tlsa.ts'

/** Certificates of a chain that are looked at. */
const chainMax = 10
/** Records that are looked at: for each, every signature of the chain may be verified, and an answer holds a thousand. */
const recordsMax = 32

/** Returns the record that stands for the peer, in words; throws an Error that says why none does. */
export function checkDane(peer: PeerCertificate, all: readonly Tlsa[], names: readonly string[], now: number): string {
  const records = all.slice(0, recordsMax)
  const chain = chainOf(peer)
  const leaf = chain[0]
  if (!leaf) throw new Error('the peer shows no certificate')
  const own = records.find((record) => record.usage === 3 && matches(record, leaf))
  if (own) return `TLSA ${describeTlsa(own)}`
  let reason = 'the certificate is none that the TLSA records stand for'
  for (const record of records.filter(({ usage }) => usage === 2)) {
    if (!isAnchored(chain, record, now)) continue
    const named = names.find((name) => leaf.checkHost(name) !== undefined)
    if (named !== undefined) return `TLSA ${describeTlsa(record)}`
    reason = `the certificate is for none of ${names.join(', ')}`
  }
  throw new Error(reason)
}

/** The chain as shown, leaf first. */
function chainOf(peer: PeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: Partial<DetailedPeerCertificate> | undefined = peer as Partial<DetailedPeerCertificate>
  const seen = new Set<object>()
  while (next?.raw && !seen.has(next) && chain.length < chainMax) {
    seen.add(next)
    chain.push(new X509Certificate(next.raw))
    next = next.issuerCertificate
  }
  return chain
}

function matches({ selector, matchingType, certificate }: Tlsa, shown: X509Certificate): boolean {
  const octets = selector === 0 ? shown.raw : shown.publicKey.export({ type: 'spki', format: 'der' })
  if (matchingType === 0) return certificate.equals(octets)
  return certificate.equals(
    createHash(matchingType === 1 ? 'sha256' : 'sha512')
      .update(octets)
      .digest(),
  )
}

/** Whether signatures lead from the leaf to what the record stands for. */
function isAnchored(chain: readonly X509Certificate[], record: Tlsa, now: number): boolean {
  for (const [at, certificate] of chain.entries()) {
    // The leaf is no anchor: with DANE-TA something has to have issued it.
    if (at > 0 && matches(record, certificate)) return true
    if (!isCurrent(certificate, now) || (at > 0 && !certificate.ca)) return false
    if (isIssuedByRecord(certificate, record)) return true
    const issuer = chain[at + 1]
    if (!issuer || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false
  }
  return false
}

/** An anchor that is whole in the record need not be shown (RFC 7671 §5.2.2, §5.2.3). */
function isIssuedByRecord(
  certificate: X509Certificate,
  { selector, matchingType, certificate: octets }: Tlsa,
): boolean {
  if (matchingType !== 0) return false
  try {
    const key: KeyObject =
      selector === 0
        ? new X509Certificate(octets).publicKey
        : createPublicKey({ key: octets, format: 'der', type: 'spki' })
    return certificate.verify(key)
  } catch {
    return false
  }
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime()
}
