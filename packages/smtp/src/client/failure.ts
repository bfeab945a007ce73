import type { Reply } from '../reply.ts'

/**
 * Why an operation of the client did not succeed, as a value that says whose fault it was, when, and what a DSN would
 * say. No text of it holds a secret or message content.
 */
export interface Failure {
  /**
   * - `reply`: the peer said no; `reply` has its words.
   * - `network`: the connection broke, by `code` where the system gave one.
   * - `timeout`: the peer was silent longer than its phase allows.
   * - `protocol`: the peer broke the dialogue.
   * - `tls`: the handshake failed, or the peer's certificate was refused.
   * - `unsupported`: the peer lacks what the message or the caller needs; nothing was sent.
   * - `local`: our side: an address that cannot be sent, content that could not be read, the caller closed.
   */
  kind: 'reply' | 'network' | 'timeout' | 'protocol' | 'tls' | 'unsupported' | 'local'
  phase: Phase
  /** RFC 3463, for the DSN's Status field and the choice between retry (4) and failure (5). */
  status: string
  text: string
  reply: Reply | null
  /** The system's code of a broken connection or handshake, such as ECONNRESET. */
  code: string | null
}

/** What the client was waiting for or doing. `content` is everything between DATA's 354 and the final dot. */
export type Phase =
  | 'greeting'
  | 'hello'
  | 'starttls'
  | 'auth'
  | 'rset'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'dot'
  | 'quit'
  | 'idle'

/** `status` (RFC 3463) is of class 4 where another attempt may help. */
export function failure(
  kind: Failure['kind'],
  phase: Phase,
  status: string,
  text: string,
  more: { reply?: Reply; code?: string | undefined } = {},
): Failure {
  return { kind, phase, status, text, reply: more.reply ?? null, code: more.code ?? null }
}

/** The peer's no. A reply that should not be here at all (2yz, 3yz) is a broken dialogue, thus temporary. */
export function replyFailure(phase: Phase, reply: Reply): Failure {
  if (reply.code < 400) return failure('protocol', phase, '4.5.0', `unexpected reply ${reply.code}`, { reply })
  const status = reply.enhanced ?? `${Math.floor(reply.code / 100)}.0.0`
  return failure('reply', phase, status, reply.lines.join(' '), { reply })
}

export type Outcome<T> = ({ ok: true } & T) | { ok: false; failure: Failure }
