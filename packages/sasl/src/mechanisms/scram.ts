import type { Random } from '@pennypost/model'
import {
  channelBindingTypes,
  clientFirst,
  decodeText,
  type Mechanism,
  type Peer,
  type ScramClaim,
  type Step,
} from '../mechanism.ts'

/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677): the password never crosses the wire, and with PLUS the
 * exchange holds for this one TLS session (RFC 5929, RFC 9266). This file has the messages; `scram-verifier.ts` the
 * cryptography, the authenticator the verifiers.
 *
 * Never broken: a client that thinks we have no PLUS while we have is refused (RFC 5802 §6: somebody took it off the
 * list); what the client finally says it saw must be exactly what was said.
 */
export function createScram(random: Random, plus: boolean): Mechanism {
  const name = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
  return {
    name,
    plaintext: false,
    ...(plus && { usableOver: bindable }),
    start(initialResponse, peer) {
      return clientFirst(initialResponse, (octets) => clientFirstMessage(octets, { name, plus, peer, random }))
    },
    lastWord: (result) =>
      result.ok && result.serverSignature ? Buffer.from(`v=${result.serverSignature.toString('base64')}`) : undefined,
  }
}

interface Exchange {
  name: string
  plus: boolean
  peer: Peer
  random: Random
}

function bindable(peer: Peer): boolean {
  return channelBindingTypes.some((type) => peer.channelBinding(type) !== undefined)
}

const failed = (exchange: Exchange, reason: string): Step => ({ kind: 'fail', reason: `${exchange.name}: ${reason}` })

// RFC 5802 §7:
//   client-first-message = gs2-header client-first-message-bare
//   gs2-header           = gs2-cbind-flag "," [ "a=" saslname ] ","
//   gs2-cbind-flag       = ("p=" cb-name) / "n" / "y"
//   client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
// An `m=` anywhere is an extension that both ends have to know, and ends the exchange (§5.1).
const clientFirstForm = /^((n|y|p=[A-Za-z0-9.-]+),(?:a=([^,]*))?,)(n=([^,]*),r=([!-+\x2d-~]+)(?:,[A-Za-ln-z]=[^,]+)*)$/
const extensionsForm = /^(?:,[A-Za-ln-z]=[^,]+)*$/

function clientFirstMessage(octets: Buffer, exchange: Exchange): Step {
  const match = clientFirstForm.exec(decodeText(octets) ?? '')
  if (!match) return failed(exchange, 'not a client-first-message')
  const [, header = '', flag = '', rawAuthzid, bare = '', rawLogin = '', clientNonce = ''] = match
  const login = unescapeName(rawLogin)
  // Empty means none, as in PLAIN: GNU SASL writes it so.
  const authzid = unescapeName(rawAuthzid ?? '')
  if (!login || authzid === undefined) return failed(exchange, 'not a saslname')
  const binding = bindingOf(flag, exchange)
  if (typeof binding === 'string') return failed(exchange, binding)
  const nonce = clientNonce + exchange.random.bytes(18).toString('base64')
  const expected = `c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${nonce}`
  return {
    kind: 'salt',
    login,
    next({ salt, iterations }) {
      const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
      return {
        kind: 'challenge',
        octets: Buffer.from(serverFirst),
        next(response) {
          const claim = { kind: 'scram' as const, login, ...(authzid && { authzid }) }
          return clientFinalMessage(response, exchange, expected, `${bare},${serverFirst}`, claim)
        },
      }
    },
  }
}

/** The octets that `c=` must end with, or what is wrong with the flag. */
function bindingOf(flag: string, { plus, peer }: Exchange): Buffer | string {
  if (!flag.startsWith('p=')) {
    if (plus) return 'no channel binding'
    return flag === 'y' && bindable(peer) ? 'somebody has hidden our channel binding' : Buffer.alloc(0)
  }
  if (!plus) return 'channel binding without PLUS'
  const type = channelBindingTypes.find((known) => flag === `p=${known}`)
  const binding = type === undefined ? undefined : peer.channelBinding(type)
  return binding ?? 'unknown channel binding'
}

// client-final-message = client-final-message-without-proof "," proof
// client-final-message-without-proof = channel-binding "," nonce ["," extensions]
function clientFinalMessage(
  octets: Buffer,
  exchange: Exchange,
  expected: string,
  saidBefore: string,
  claim: Omit<ScramClaim, 'authMessage' | 'proof'>,
): Step {
  const text = decodeText(octets) ?? ''
  const at = text.lastIndexOf(',p=')
  const withoutProof = text.slice(0, Math.max(at, 0))
  if (!withoutProof.startsWith(expected) || !extensionsForm.test(withoutProof.slice(expected.length))) {
    return failed(exchange, 'another nonce, channel binding or extension')
  }
  const base64 = text.slice(at + 3)
  const proof = Buffer.from(base64, 'base64')
  if (proof.toString('base64') !== base64) return failed(exchange, 'the proof is not base64')
  return { kind: 'verify', claim: { ...claim, authMessage: `${saidBefore},${withoutProof}`, proof } }
}

/** saslname: `=2C` is a comma and `=3D` an equals sign; undefined when another `=` is in it. */
function unescapeName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text) || text.includes('\0')) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
