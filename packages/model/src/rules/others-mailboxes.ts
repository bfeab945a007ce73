/**
 * How mailboxes of others are called: `Other Users/LOGIN/NAME`, in every protocol. No account has mailboxes of its own
 * under that name. A login is one level of the name, so characters that a level can not have are written as `=XX`.
 */
import { delimiter, mailboxName } from './mailbox-name.ts'

export const othersPrefix = 'Other Users'

/** Whether the name lies where those of others are. */
export function isAmongOthers(name: string): boolean {
  return name === othersPrefix || name.startsWith(`${othersPrefix}${delimiter}`)
}

/** The mailbox `name` of the account `login`, as somebody else calls it. */
export function othersName(login: string, name: string): string {
  return [othersPrefix, levelOf(login), name].join(delimiter)
}

/** Whose mailbox the name means and what its owner calls it; undefined when it means none of anybody. */
export function othersMailbox(name: string): { login: string; name: string } | undefined {
  const [first, level, ...rest] = name.split(delimiter)
  if (first !== othersPrefix || !level || rest.length === 0) return undefined
  const login = level.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const own = mailboxName(rest.join(delimiter))
  return levelOf(login) === level && own !== undefined ? { login, name: own } : undefined
}

function levelOf(login: string): string {
  return login.replace(/[=/%*\x00-\x1f\x7f]/g, (char) => {
    return `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
