import type { Reply } from '../reply.ts'
import { failure, type Outcome, replyFailure } from './failure.ts'
import type { Session } from './session.ts'
import type { Wire } from './wire.ts'

/** Who we are to a smarthost. */
export interface Credentials {
  username: string
  password: string
  /** Send them without TLS too. Default false. */
  allowClearText?: boolean
}

/** RFC 4616 and RFC 4954 §4; LOGIN as the field speaks it. No line with a credential reaches the transcript. */
export async function authenticate(
  wire: Wire,
  session: Session,
  { username, password, allowClearText = false }: Credentials,
): Promise<Outcome<{ mechanism: string }>> {
  const offered = session.capabilities.auth
  const mechanism = ['PLAIN', 'LOGIN'].find((name) => offered.has(name))
  if (session.tls === null && !allowClearText) {
    return { ok: false, failure: failure('unsupported', 'auth', '5.7.11', 'credentials are not sent without TLS') }
  }
  if (mechanism === undefined) {
    return { ok: false, failure: failure('unsupported', 'auth', '5.7.4', 'peer offers neither AUTH PLAIN nor LOGIN') }
  }
  const answers = mechanism === 'PLAIN' ? [`\0${username}\0${password}`] : [username, password]
  const encoded = answers.map((answer) => Buffer.from(answer).toString('base64'))
  let line = `AUTH ${mechanism}`
  let shown = line
  // RFC 4954 §4: an initial response that makes the line longer than 512 octets has to wait for a 334.
  if (mechanism === 'PLAIN' && line.length + 3 + encoded[0]!.length <= 512) {
    line += ` ${encoded.shift()}`
    shown += ' ****'
  }
  let reply: Reply
  for (;;) {
    const asked = await wire.ask('auth', session.timeouts.authMs, line, { shown })
    if (!asked.ok) return asked
    reply = asked.reply
    const next = reply.code === 334 ? encoded.shift() : undefined
    if (next === undefined) break
    line = next
    shown = '****'
  }
  if (reply.code === 235) return { ok: true, mechanism }
  const reason = replyFailure('auth', reply)
  // A peer that asks on is left in the middle of its exchange: `*` cancels it (RFC 4954 §4).
  if (reply.code === 334) await wire.ask('auth', session.timeouts.authMs, '*')
  return { ok: false, failure: reason }
}
