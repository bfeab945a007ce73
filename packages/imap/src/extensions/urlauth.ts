import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { saysGone } from '../fetch/fetch-item.ts'
import { spMailbox } from '../grammar/mailbox.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { isSameToken, resetKeys, tokenFor } from '../urls/access-keys.ts'
import { type AuthorizedUrl, authorizedUrl, type MessageUrl, type UrlAccess } from '../urls/message-url.ts'
import { mailboxOf } from '../urls/read-url.ts'
import { answerOf, type UrlAnswer, type UrlItem, urlItems } from '../urls/url-answer.ts'
import type { Cursor } from '../wire/cursor.ts'
import { printString } from '../wire/strings.ts'

/**
 * URLs that carry an authorization (RFC 4467): one account lets others read a message or a part of one, until it says
 * otherwise. The one mechanism is INTERNAL. `submit+` URLs are for submission servers: here, administrators.
 */
const mechanism = 'INTERNAL'

/** A URL, at most so long (characters): what is longer is none of ours. */
const longest = 2000

function url(cursor: Cursor): string {
  const text = cursor.astring('URL')
  if (text.length > longest || !/^[!-~]*$/.test(text)) throw bad('That is no URL')
  return text
}

const genUrlAuth = {
  name: 'GENURLAUTH',
  rfc: 'RFC 4467 §7',
  states: loggedIn,
  effects: {},
  /** `"GENURLAUTH" 1*(SP url-rump SP mechanism)` */
  parse(cursor, session) {
    const found: AuthorizedUrl[] = []
    do {
      cursor.sp()
      const asked = authorizedUrl(url(cursor))
      cursor.sp()
      if (cursor.word('Mechanism') !== mechanism) throw bad(`The one mechanism is ${mechanism}`)
      if (!asked || asked.token) throw bad('That is no URL that can be authorized')
      if (found.push(asked) > session.service.limits.parameters) throw bad('Too many URLs')
    } while (!cursor.atEnd)
    return found
  },
  async run(session, asked) {
    const signed: string[] = []
    for (const one of asked) {
      const found = isOwn(session, one) ? await mailboxOf(session, one.message) : undefined
      // RFC 4467 §7: BAD, whatever is wrong with it.
      if (!found) throw bad('That is no message of yours')
      signed.push(`${one.rump}:${mechanism}:${await tokenFor(session.service, session.user, found, one.rump)}`)
    }
    session.untagged(`GENURLAUTH ${signed.map((text) => printString(text, false)).join(' ')}`)
    return undefined
  },
} satisfies Command<AuthorizedUrl[]>

/** Nobody authorizes in somebody else's name. */
function isOwn({ user }: Session, { login }: AuthorizedUrl): boolean {
  return login.toLowerCase() === user.login.toLowerCase()
}

const urlFetch = {
  name: 'URLFETCH',
  rfc: 'RFC 4467 §7',
  states: loggedIn,
  effects: {},
  /** `"URLFETCH" 1*(SP url-fetch-arg)` */
  parse(cursor, session) {
    const found: Wanted[] = []
    do {
      cursor.sp()
      if (found.push(wanted(cursor, session)) > session.service.limits.parameters) throw bad('Too many URLs')
    } while (!cursor.atEnd)
    return found
  },
  /** Whatever is wrong with a URL is NIL: why is nobody's business (RFC 4467 §6.2). A response each: no more than one is held. */
  async run(session, urls) {
    const { out, service } = session
    for (const { text, items } of urls) {
      const began = service.turns.now()
      // Before anything is said: nothing that could be said within a response would be understood.
      const authorized = await authorizedBy(session, text)
      const answer =
        authorized && (await answerOf(session, authorized.found, authorized.message, items).catch(nilWhenGone))
      out.text(`* URLFETCH ${printString(text, false)}`)
      if (answer) await whole(session, answer)
      else out.text(' NIL')
      out.text('\r\n')
      await out.ready()
      await service.turns.over(began)
      if (out.gone) break
    }
    return undefined
  },
} satisfies Command<Wanted[]>

/** The message was expunged since its row was read. */
function nilWhenGone(error: unknown): undefined {
  if (!saysGone(error)) throw error
}

/** What is begun is finished, or the connection dies with it. */
async function whole(session: Session, answer: UrlAnswer): Promise<void> {
  try {
    await answer(session.out)
  } catch (error) {
    session.connection.destroy()
    throw error
  }
}

interface Wanted {
  text: string
  items: readonly UrlItem[]
}

/** `url-fetch-arg = url-full / "(" url-full *(SP url-fetch-param) ")"` (RFC 5524 §5) */
function wanted(cursor: Cursor, session: Session): Wanted {
  if (cursor.peek() !== '(' || !session.service.registry.has('URLAUTH=BINARY')) return { text: url(cursor), items: [] }
  cursor.expect('(')
  const text = url(cursor)
  const items: UrlItem[] = []
  while (cursor.skip(' ')) {
    const name = cursor.word('Item')
    const item = urlItems.find((known) => known === name)
    if (!item || items.includes(item)) throw bad(`Unknown item ${name.slice(0, 40)}, or twice`)
    items.push(item)
  }
  cursor.expect(')')
  if (items.includes('BODY') && items.includes('BINARY')) throw bad('BODY or BINARY, not both')
  return { text, items: urlItems.filter((item) => items.includes(item)) }
}

/** What a URL lets the session read; undefined when it does not. */
async function authorizedBy(
  session: Session,
  text: string,
): Promise<{ found: VisibleMailbox; message: MessageUrl } | undefined> {
  const { service } = session
  const asked = authorizedUrl(text)
  if (!asked?.token || asked.token.mechanism.toUpperCase() !== mechanism) return undefined
  if ((asked.expiresAt ?? Number.POSITIVE_INFINITY) <= service.clock.now()) return undefined
  if (!(await mayUse(session, asked.access))) return undefined
  const owner = await service.directory.accountByLogin(asked.login.toLowerCase())
  if (!owner || owner.removedAt !== null || owner.suspended) return undefined
  const found = await mailboxOf({ service, user: owner }, asked.message)
  if (!found) return undefined
  const token = await tokenFor(service, owner, found, asked.rump)
  return isSameToken(token, asked.token.value) ? { found, message: asked.message } : undefined
}

async function mayUse({ service, user }: Session, access: UrlAccess): Promise<boolean> {
  if (access.kind === 'user') return access.login.toLowerCase() === user.login.toLowerCase()
  if (access.kind === 'submit') return (await service.directory.account(user.id))?.admin === true
  return true
}

const resetKey = {
  name: 'RESETKEY',
  rfc: 'RFC 4467 §7',
  states: loggedIn,
  effects: {},
  /** `"RESETKEY" [SP mailbox *(SP mechanism)]` */
  parse(cursor, session) {
    if (cursor.atEnd) return undefined
    const name = spMailbox(cursor, session)
    while (!cursor.atEnd) {
      cursor.sp()
      if (cursor.word('Mechanism') !== mechanism) throw bad(`The one mechanism is ${mechanism}`)
    }
    return name
  },
  async run(session, name) {
    const found = name === undefined ? undefined : await session.mailbox(name, 'r')
    await resetKeys(session.service, session.user, found)
    return { code: `URLMECH ${mechanism}` }
  },
} satisfies Command<string | undefined>

export const urlAuth: Extension = {
  name: 'URLAUTH',
  rfc: 'RFC 4467',
  capabilities: [{ name: 'URLAUTH', states: loggedIn }],
  commands: [genUrlAuth, urlFetch, resetKey],
}
