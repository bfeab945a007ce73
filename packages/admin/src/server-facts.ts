/** What the running server knows about itself, for `status`. Times in milliseconds of the clock, sizes in octets. */
export interface ServerFacts {
  version: string
  startedAt: number
  listeners: readonly ListenerFacts[]
  /** It has the role that brings mail out of the queue. */
  worksQueue: boolean
  certificates: readonly CertificateState[]
  /** Names that a certificate was to be for, and why the authority was not convinced of them. */
  unproved: readonly { name: string; why: string }[]
  /** The newest errors of the log, newest last. */
  errors: readonly { at: number; text: string }[]
  /** The index that searches use: in what state it is, how many messages it lacks at most, and its size. */
  search: { index: string; behind: number; octets: number }
  /** Next hops that could not be asked about recipients lately: since when, and what the last one who asked heard. */
  unasked: readonly { destination: string; since: number; reply: string }[]
  disk: {
    directory: string
    free: number
    total: number
    /** What the store keeps free. */
    reserve: number
  }
}

export interface ListenerFacts {
  service: string
  /** `127.0.0.1:2525`, `[::1]:25`, or a path. */
  address: string
  sessions: number
  /** Why it does not listen; absent while it does. */
  error?: string
  /** The configuration has none of these roles, so it was not opened; absent where it has one. */
  lacksRoles?: readonly string[]
}

export interface CertificateState {
  file: string
  names: readonly string[]
  notBefore: number
  notAfter: number
  selfSigned: boolean
}
