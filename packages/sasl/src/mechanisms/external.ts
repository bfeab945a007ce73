import { clientFirst, decodeText, type Mechanism, type Peer, type Step } from '../mechanism.ts'

/** EXTERNAL (RFC 4422 appendix A): who has shown a certificate of our authority in the TLS handshake needs no password. */
export const external: Mechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  usableOver: ({ certifiedAddresses = [] }) => certifiedAddresses.length > 0,
  start: (initialResponse, peer) => clientFirst(initialResponse, (octets) => identity(octets, peer)),
}

/** `initial-response = *( UTF8-char-no-nul )`: the account to act as, or nothing. */
function identity(octets: Buffer, { certifiedAddresses: addresses }: Peer): Step {
  const authzid = decodeText(octets)
  if (authzid === undefined || authzid.includes('\0')) return { kind: 'fail', reason: 'EXTERNAL: not UTF-8' }
  if (!addresses) return { kind: 'fail', reason: 'EXTERNAL: no certificate' }
  return { kind: 'verify', claim: { kind: 'certificate', addresses, ...(authzid && { authzid }) } }
}
