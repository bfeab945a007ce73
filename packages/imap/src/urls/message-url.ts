import { mailboxName } from '@pennypost/model'
import { type Partial, type Section, section } from '../grammar/section.ts'
import { Cursor } from '../wire/cursor.ts'

/**
 * IMAP URLs of messages and parts of them (RFC 5092), as CATENATE and URLAUTH take them. What is no such URL gives
 * undefined; nothing throws.
 */
export interface MessageUrl {
  /** Absent: the selected mailbox. */
  mailbox: string | undefined
  uidValidity: number | undefined
  uid: number
  section: Section
  partial: Partial | undefined
}

const pattern =
  /^(?:\/([^;]+?)(?:;UIDVALIDITY=(\d{1,10}))?\/)?;UID=(\d{1,10})(?:\/;SECTION=([^;]+?))?(?:\/;PARTIAL=(\d{1,15})(?:\.(\d{1,15}))?)?$/i

/** A relative URL (RFC 5092 §7). */
export function relativeUrl(url: string): MessageUrl | undefined {
  const match = pattern.exec(url)
  if (!match) return undefined
  const [, path, uidValidity, uid, sectionText, start, size] = match
  try {
    const mailbox = path === undefined ? undefined : mailboxName(decodeURIComponent(path))
    if (path !== undefined && mailbox === undefined) return undefined
    const cursor = new Cursor({ lines: [`[${decodeURIComponent(sectionText ?? '')}]`], literals: [] }, 2)
    const asked = section(cursor, mostFields)
    cursor.crlf()
    return {
      mailbox,
      uidValidity: uidValidity === undefined ? undefined : Number(uidValidity),
      uid: Number(uid),
      section: asked,
      partial:
        start === undefined ? undefined : { start: Number(start), size: Number(size ?? Number.MAX_SAFE_INTEGER) },
    }
  } catch {
    // Not percent-encoded UTF-8, or no section.
    return undefined
  }
}

const mostFields = 100

/** Who may use an authorized URL (RFC 4467 §3). */
export type UrlAccess = { kind: 'submit' | 'user'; login: string } | { kind: 'authuser' | 'anonymous' }

/** A URL that is to be authorized, or has been. */
export interface AuthorizedUrl {
  /** All that is signed: up to the access identifier. */
  rump: string
  /** Whose mailbox access key signs it; an address. */
  login: string
  message: MessageUrl
  /** Milliseconds since 1970. */
  expiresAt: number | undefined
  access: UrlAccess
  /** Absent in one that is to be authorized. */
  token: { mechanism: string; value: string } | undefined
}

/** `authimapurlfull`, or `authimapurlrump` when there is no token (RFC 4467 §7). */
export function authorizedUrl(url: string): AuthorizedUrl | undefined {
  const at = url.search(/;URLAUTH=/i)
  const [, access, mechanism, value] = authorization.exec(at < 0 ? '' : url.slice(at)) ?? []
  if (access === undefined) return undefined
  const expire = /;EXPIRE=([^;]*)$/i.exec(url.slice(0, at))
  const expiresAt = expire ? dateTime(expire[1] as string) : undefined
  const [, user, host, path] = inAccount.exec(url.slice(0, expire ? expire.index : at)) ?? []
  const message = path === undefined ? undefined : relativeUrl(path)
  if (!message || user === undefined || host === undefined || Number.isNaN(expiresAt)) return undefined
  try {
    return {
      rump: value === undefined ? url : url.slice(0, -`:${mechanism}:${value}`.length),
      login: loginOf(decodeURIComponent(user), host),
      message,
      expiresAt,
      access: accessOf(access),
      token: value === undefined || mechanism === undefined ? undefined : { mechanism, value },
    }
  } catch {
    return undefined
  }
}

const authorization = /^;URLAUTH=(anonymous|authuser|(?:submit|user)\+[^:;]+)(?::([A-Z0-9-]{1,64}):([!-~]{32,256}))?$/i
const inAccount = /^imap:\/\/([^;:@/]+)(?:;AUTH=[^;:@/]+)?@(\[[0-9a-f:.]+\]|[^;:@/]+)(?::\d*)?(\/.+)$/i

/** Logins are addresses here: a name without a domain is one of the host, as it reads. */
function loginOf(user: string, host: string): string {
  return user.includes('@') ? user : `${user}@${host}`
}

function accessOf(text: string): UrlAccess {
  const [, kind, login] = /^(submit|user)\+(.*)$/i.exec(text) ?? []
  if (kind === undefined || login === undefined) {
    return { kind: text.toLowerCase() === 'authuser' ? 'authuser' : 'anonymous' }
  }
  return { kind: kind.toLowerCase() === 'user' ? 'user' : 'submit', login: decodeURIComponent(login) }
}

/** RFC 3339 §5.6; NaN for what is none. */
function dateTime(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN
}
