/**
 * What an operation may fail with, as values that survive the admin socket: a closed list of reasons for programs, a
 * text for people, and what they can do about it. Everything else that is thrown becomes `failed`.
 */
export type AdminRefusal =
  /** The input breaks its schema. */
  | 'bad-input'
  /** The server does not know the operation: it is of another version. */
  | 'no-such-operation'
  | 'not-found'
  | 'exists'
  | 'not-allowed'
  | 'limit'
  /** Only a running server can do it. */
  | 'needs-server'
  /** Temporary: the same call may do later. */
  | 'unavailable'
  | 'failed'

export class AdminError extends Error {
  override readonly name = 'AdminError'
  readonly reason: AdminRefusal
  /** One sentence about what to do next, or ''. */
  readonly advice: string

  constructor(reason: AdminRefusal, text: string, advice = '', options?: ErrorOptions) {
    super(text, options)
    this.reason = reason
    this.advice = advice
  }
}
