/**
 * What Maildir, Maildir++ and Dovecot beside them agree on: letters for flags, names of folders, and Dovecot's files
 * `dovecot-uidlist` (UIDs and UIDLs) and `dovecot-keywords`.
 */
import { decodeModifiedUtf7, encodeModifiedUtf7, readModifiedUtf7 } from '@pennypost/message'

const flagLetters: Readonly<Record<string, string>> = {
  D: '\\Draft',
  F: '\\Flagged',
  P: '$Forwarded',
  R: '\\Answered',
  S: '\\Seen',
  T: '\\Deleted',
}

/** The unique part of a file name, and the flags that its info says. `keywords`: by letter from `a`. */
export function readFileName(name: string, keywords: readonly string[]): { base: string; flags: string[] } {
  const match = /^(.*?)[:;]2,([A-Za-z]*)$/.exec(name)
  if (!match) return { base: name, flags: [] }
  const flags = [...(match[2] as string)].flatMap((letter) => {
    return flagLetters[letter] ?? keywords[letter.charCodeAt(0) - 97] ?? []
  })
  return { base: match[1] as string, flags }
}

/** The info of a file name. Keywords beyond the 26 that have a letter are left out; `keywords` gets new ones. */
export function infoOf(flags: readonly string[], keywords: string[]): string {
  const found = new Set<string>()
  for (const flag of flags) {
    const letter = Object.entries(flagLetters).find(([, name]) => name.toLowerCase() === flag.toLowerCase())?.[0]
    if (letter !== undefined) found.add(letter)
    else if (!flag.startsWith('\\')) {
      let index = keywords.findIndex((keyword) => keyword.toLowerCase() === flag.toLowerCase())
      if (index < 0 && keywords.length < 26) index = keywords.push(flag) - 1
      if (index >= 0) found.add(String.fromCharCode(97 + index))
    }
  }
  return `:2,${[...found].sort().join('')}`
}

/** `dovecot-keywords`: a number and a keyword on each line. */
export function readKeywords(text: string): string[] {
  const keywords: string[] = []
  for (const [, index, keyword] of text.matchAll(/^(\d{1,2}) (\S+)$/gm)) keywords[Number(index)] = keyword as string
  return keywords
}

export interface UidList {
  /** By the unique part of the file name. */
  messages: Map<string, { uid: number; uidl: string }>
}

/** `dovecot-uidlist`, version 3: `3 V<uidvalidity> …`, then `<uid> [P<uidl> …] :<file name>`. */
export function readUidList(text: string): UidList {
  const list: UidList = { messages: new Map() }
  const uidValidity = Number(/^3 .*?\bV(\d+)/.exec(text)?.[1] ?? 0)
  for (const [, uid, extensions, name] of text.matchAll(/^(\d+) ((?:[A-Z]\S* )*):(.*)$/gm)) {
    const own = /(?:^| )P(\S+)/.exec(extensions as string)?.[1]
    const { base } = readFileName(name as string, [])
    list.messages.set(base, { uid: Number(uid), uidl: own ?? defaultUidl(Number(uid), uidValidity) })
  }
  return list
}

/** Dovecot's UIDL where nothing else is configured (`%08Xu%08Xv`). */
function defaultUidl(uid: number, uidValidity: number): string {
  const hex = (value: number): string => value.toString(16).padStart(8, '0')
  return hex(uid) + hex(uidValidity)
}

/** `.Archive.2024` → `Archive/2024`; the names are in IMAP's modified UTF-7 (RFC 3501 §5.1.3), or plain UTF-8. */
export function mailboxOfFolder(folder: string): string {
  return folder.slice(1).split('.').map(readModifiedUtf7).join('/')
}

/** A directory or file among others: Dovecot spells it as IMAP does, others as it is; `R&D-Team` is no such spelling. */
export function mailboxLevel(name: string): string {
  return decodeModifiedUtf7(name) ?? name
}

/** `Archive/2024` → `.Archive.2024`. */
export function folderOfMailbox(mailbox: string): string {
  return mailbox === 'INBOX' ? '' : `.${mailbox.split('/').map(folderLevel).join('.')}`
}

/** Dots in a level are written as UTF-7 writes what it must. */
function folderLevel(level: string): string {
  return encodeModifiedUtf7(level).replaceAll('.', '&AC4-')
}
