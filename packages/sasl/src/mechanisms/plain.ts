import { clientFirst, decodeText, type Mechanism, type Step } from '../mechanism.ts'

/**
 * PLAIN (RFC 4616 §2):
 *
 *     message = [authzid] UTF8NUL authcid UTF8NUL passwd
 */
export const plain: Mechanism = {
  name: 'PLAIN',
  plaintext: true,
  start: (initialResponse) => clientFirst(initialResponse, message),
}

function message(octets: Buffer): Step {
  const text = decodeText(octets)
  if (text === undefined) return { kind: 'fail', reason: 'PLAIN: not UTF-8' }
  const [authzid, login, password, ...more] = text.split('\0')
  if (!login || !password || more.length > 0) {
    return { kind: 'fail', reason: 'PLAIN: not authzid NUL authcid NUL passwd' }
  }
  return { kind: 'verify', claim: { kind: 'password', login, password, ...(authzid && { authzid }) } }
}
