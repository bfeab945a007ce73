import { clientFirst, decodeText, type Mechanism, type Step } from '../mechanism.ts'

/**
 * OAUTHBEARER (RFC 7628) and XOAUTH2, Google's older form of it that most clients speak: a bearer token (RFC 6750) that
 * another server has issued. Both are key=value pairs between octets 0x01. A refused client is told why in JSON, and
 * answers before it gets the outcome (RFC 7628 §3.2.3).
 */
export function createBearer(name: 'OAUTHBEARER' | 'XOAUTH2', discoveryUrl: string): Mechanism {
  const parse = name === 'OAUTHBEARER' ? parseOauthBearer : parseXoauth2
  const next = (octets: Buffer): Step => {
    const claimed = parse(decodeText(octets) ?? '')
    if (!claimed) return { kind: 'fail', reason: `${name}: not a client response` }
    const { token, authzid } = claimed
    return { kind: 'verify', claim: { kind: 'token', token, ...(authzid && { authzid }) } }
  }
  return {
    name,
    plaintext: true,
    start: (initialResponse) => clientFirst(initialResponse, next),
    lastWord(result) {
      // Of a token that could not be checked, or would open a closed account, nobody knows that it is not valid: a client
      // that was told so would throw it away.
      if (result.ok || result.reason !== 'invalid') return undefined
      const status = name === 'OAUTHBEARER' ? 'invalid_token' : '401'
      const where = discoveryUrl === '' ? {} : { 'openid-configuration': discoveryUrl }
      return Buffer.from(JSON.stringify({ status, schemes: 'bearer', ...where }))
    },
  }
}

interface Claimed {
  token: string
  authzid: string | undefined
}

// RFC 7628 §3.1: client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep, and RFC 5801 §4 for the header. Whoever asks for a
// channel binding, which there is none of, is not let in without.
const oauthBearerForm = /^[ny],(?:a=([^,]*))?,\x01((?:[A-Za-z]+=[^\x01]*\x01)*)\x01$/
const xoauth2Form = /^user=([^\x01]*)\x01((?:[A-Za-z]+=[^\x01]*\x01)*)\x01$/

function parseOauthBearer(text: string): Claimed | undefined {
  const [all, name, pairs = ''] = oauthBearerForm.exec(text) ?? []
  const authzid = name?.replaceAll('=2C', ',').replaceAll('=3D', '=')
  return all === undefined ? undefined : withToken(pairs, authzid)
}

function parseXoauth2(text: string): Claimed | undefined {
  const [all, user, pairs = ''] = xoauth2Form.exec(text) ?? []
  return all === undefined ? undefined : withToken(pairs, user)
}

/** `auth=Bearer SP b64token` (RFC 6750 §2.1). */
function withToken(pairs: string, authzid: string | undefined): Claimed | undefined {
  const token = /(?:^|\x01)auth=Bearer +([\w.~+/-]+=*)\x01/i.exec(pairs)?.[1]
  return token === undefined ? undefined : { token, authzid }
}
