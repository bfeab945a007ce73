import type { FilterFinding } from '@pennypost/message-auth'
import type { ContentFilter, FilterSettings, MailToLookAt } from './filter.ts'
import { askByHttp, parseObject } from './http-exchange.ts'

/** rspamd by its HTTP protocol (`/checkv2`): the envelope in header fields, the message as body, JSON back. */
export interface RspamdOptions extends FilterSettings {
  /** Ours, for its own Received checks. */
  hostname: string
  /** Of a worker that wants one. */
  password?: string
}

/** What rspamd would have done, in our words. What it calls greylisting is a deferral here. */
const actions: Readonly<Record<string, FilterFinding['result']>> = {
  'no action': 'accept',
  'add header': 'quarantine',
  'rewrite subject': 'quarantine',
  quarantine: 'quarantine',
  greylist: 'defer',
  'soft reject': 'defer',
  reject: 'reject',
  discard: 'reject',
}

/** A filter that asks rspamd; `look` rejects for an action that is not known here. */
export function createRspamd({ endpoint, dialer, hostname, password, ...filter }: RspamdOptions): ContentFilter {
  return {
    ...filter,
    check: 'spam',
    async look(mail, signal) {
      const headers = { ...headersOf(mail, hostname), ...(password === undefined ? {} : { Password: password }) }
      const octets = await askByHttp(dialer, endpoint, { path: '/checkv2', headers, body: mail.content() }, signal)
      return findingOf(filter.name, parseObject(octets))
    },
  }
}

function headersOf(mail: MailToLookAt, hostname: string): Record<string, string | string[]> {
  const { clientAddress, clientName, helo, account, reversePath, forwardPaths, journey, size } = mail
  return {
    'Content-Length': String(size),
    'Queue-Id': journey,
    'MTA-Name': hostname,
    ...(clientAddress === '' ? {} : { IP: clientAddress }),
    ...(clientName === '' ? {} : { Hostname: word(clientName) }),
    ...(helo === '' ? {} : { Helo: word(helo) }),
    ...(account === '' ? {} : { User: word(account) }),
    From: `<${word(reversePath)}>`,
    Rcpt: forwardPaths.map(word),
  }
}

/** Header fields of HTTP take no line ends and nothing beyond Latin-1. */
function word(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\x00-\x1f\x7f]/g, '?')
}

/** What counts of an answer; none of it is believed to be there. */
interface Answer {
  action?: unknown
  score?: unknown
  required_score?: unknown
  symbols?: Record<string, { name?: unknown; score?: unknown }>
  messages?: { smtp_message?: unknown }
}

function findingOf(name: string, answer: Answer): FilterFinding {
  const action = String(answer.action)
  const result = actions[action]
  if (result === undefined) throw new Error(`unknown action: ${action.slice(0, 100)}`)
  const symbols = Object.values(answer.symbols ?? {})
    .map(({ name: symbol, score }) => ({ symbol: String(symbol), score: Number(score) || 0 }))
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, 10)
    .map(({ symbol, score }) => `${symbol} ${score}`)
  const detail = `${name}: ${action}, ${Number(answer.score)} of ${Number(answer.required_score)}: ${symbols.join(', ')}`
  const said = answer.messages?.smtp_message
  const text = typeof said === 'string' ? said.slice(0, 200) : ''
  return { check: 'spam', result, detail: detail.slice(0, 1000), filter: name, text }
}
