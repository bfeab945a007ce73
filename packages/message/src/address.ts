/**
 * Address lists (RFC 5322 §3.4, with the obsolete forms) as ENVELOPE has them. What is no address still gives one
 * entry, in which what is missing is ''. Encoded words stay undecoded. Linear in the length of the text.
 */

import { quotedString } from './field-writer.ts'

/** As in RFC 9051 §7.5.2: without host it opens a group named `mailbox`, without both it closes one. */
export interface Address {
  name?: string | undefined
  route?: string | undefined
  /** Without quoting; '' beside a host, and so the host: there is none. */
  mailbox?: string | undefined
  host?: string | undefined
}

/** Parses an unfolded field value, up to `most` entries. Empty elements and comments alone give nothing. */
export function parseAddressList(text: string, most = Number.POSITIVE_INFINITY): Address[] {
  return new AddressReader(text).list(most)
}

/** `local@domain` of every mailbox in a list; what is none is left out. */
export function mailboxesOf(addresses: readonly Address[]): string[] {
  const found: string[] = []
  for (const { mailbox, host } of addresses) if (mailbox && host) found.push(`${quoteLocalPart(mailbox)}@${host}`)
  return found
}

/** With Dovecot's words for what is missing, for who takes an address without host for a group. */
export function complete(address: Address): Address {
  const { mailbox, host } = address
  if (host === undefined || (mailbox && host)) return address
  return { ...address, mailbox: mailbox || 'MISSING_MAILBOX', host: host || 'MISSING_DOMAIN' }
}

/** A local part as it is written in an address: quoted where it must be (RFC 5322 §3.4.1). */
export function quoteLocalPart(localPart: string): string {
  return /^[^\s"(),.:;<>@[\\\]]+(\.[^\s"(),.:;<>@[\\\]]+)*$/.test(localPart) ? localPart : quotedString(localPart)
}

/** The words before whatever tells what they are: a phrase, or a local part. */
interface Words {
  phrase: string
  /** The words that belong together at the end: space around dots is obsolete, but tells nothing (RFC 5322 §4.4). */
  localPart: string
  /** The phrase before those. */
  before: string
  count: number
  lastQuoted: boolean
}

class AddressReader {
  readonly #text: string
  #at = 0
  #comment = ''

  constructor(text: string) {
    this.#text = text
  }

  list(most: number): Address[] {
    const found: Address[] = []
    let inGroup = false
    while (found.length < most) {
      this.#skipSpace()
      if (this.#at >= this.#text.length) break
      const character = this.#text[this.#at]
      if (character === ',' || character === ';') {
        if (character === ';' && inGroup) {
          found.push({})
          inGroup = false
        }
        this.#at++
        continue
      }
      const emptyGroup = inGroup ? undefined : this.#bracketedGroup()
      if (emptyGroup !== undefined) {
        found.push({ mailbox: emptyGroup }, {})
        continue
      }
      this.#comment = ''
      const words = this.#words(inGroup ? wordInGroup : word)
      if (this.#text[this.#at] === ':') {
        this.#at++
        found.push({ mailbox: words.phrase })
        inGroup = true
      } else {
        found.push(this.#mailbox(words))
      }
    }
    if (inGroup) found.push({})
    return found.length > most ? found.slice(0, most) : found
  }

  /** `<undisclosed-recipients:;>`: an empty group that an agent took for an address; what a relay added goes with it. */
  #bracketedGroup(): string | undefined {
    const whole = this.#take(/<[^<>@,;:"]+:\s*;[^<>,]*>/y)
    return whole === '' ? undefined : whole.slice(1, whole.indexOf(':')).trim()
  }

  /** name-addr / addr-spec, and what passes for them. */
  #mailbox(words: Words): Address {
    const next = this.#text[this.#at]
    if (next === '<') return this.#angleAddress(words.phrase)
    if (next === '@') {
      this.#at++
      const host = this.#domain()
      this.#skipSpace()
      // `a@one.test <a@one.test>`: agents that put an address unquoted where the name belongs.
      if (this.#text[this.#at] === '<') return this.#angleAddress(`${words.localPart}@${host}`)
      const address = { mailbox: words.localPart, host }
      // `Alice Miller alice@one.test`: no agent that is right leaves the angle brackets out, but people do.
      const name = words.before || this.#comment
      return name === '' ? address : { name, ...address }
    }
    if (words.count === 1 && !words.lastQuoted) {
      const address = { mailbox: words.localPart, host: '' }
      return this.#comment === '' ? address : { name: this.#comment, ...address }
    }
    return { name: words.phrase, mailbox: '', host: '' }
  }

  /** angle-addr = "<" [obs-route] addr-spec ">"; a missing ">" is forgiven. */
  #angleAddress(name: string): Address {
    this.#at++
    const address: Address = name === '' ? {} : { name }
    this.#skipSpace()
    if (this.#text[this.#at] === '@') {
      const route = this.#take(/(?:\[[^[\]<>]*\]|[^[:<>])*/y)
      if (this.#text[this.#at] === ':') {
        this.#at++
        address.route = route.replace(/\s+/g, '')
      } else {
        this.#at -= route.length
      }
    }
    const words = this.#words(wordInAngle)
    address.mailbox = (words.before && `${words.before} `) + words.localPart
    address.host = ''
    if (this.#text[this.#at] === '@') {
      this.#at++
      address.host = this.#domain()
    }
    this.#take(/[^>,;]*/y)
    if (this.#text[this.#at] === '>') this.#at++
    return address
  }

  /** obs-domain allows white space and comments around the dots (RFC 5322 §4.4). */
  #domain(): string {
    this.#skipSpace()
    if (this.#text[this.#at] === '[') return this.#take(/\[[^\]>]*\]?/y).replace(/\s+/g, '')
    let domain = ''
    for (let piece = ' '; piece !== ''; ) {
      piece = this.#take(/[^\s,;<>()]+/y)
      domain += piece
      this.#skipSpace()
      if (this.#text[this.#at] !== '.' && !piece.endsWith('.')) break
    }
    return domain
  }

  /** Words, dots and comments up to what is neither: `unquoted` matches words that are not quoted strings. */
  #words(unquoted: RegExp): Words {
    const words: Words = { phrase: '', localPart: '', before: '', count: 0, lastQuoted: false }
    let phrase = ''
    let localPart = ''
    // Asked instead of the phrase, which would be copied whole for each question.
    let endsInDot = false
    for (;;) {
      const spaced = this.#skipSpace()
      const quotedWord = this.#text.charCodeAt(this.#at) === quote
      const word = quotedWord ? this.#quoted() : this.#take(unquoted)
      if (word === '' && !quotedWord) break
      const dotted = endsInDot || (quotedWord ? word === '.' : word.charCodeAt(0) === dot)
      if (spaced && phrase !== '' && !dotted) {
        words.before = phrase
        localPart = ''
      }
      phrase += spaced && phrase !== '' ? ` ${word}` : word
      localPart += word
      if (word !== '') endsInDot = word.charCodeAt(word.length - 1) === dot
      if (spaced || words.count === 0) words.count++
      words.lastQuoted = quotedWord
    }
    words.phrase = phrase
    words.localPart = localPart
    return words
  }

  #take(pattern: RegExp): string {
    const start = this.#at
    pattern.lastIndex = start
    if (!pattern.test(this.#text)) return ''
    this.#at = pattern.lastIndex
    return this.#text.slice(start, this.#at)
  }

  /** quoted-string without its quotes; a missing closing quote takes the rest. */
  #quoted(): string {
    this.#at++
    const inner = this.#take(/(?:[^"\\]|\\.)*/sy)
    this.#at++
    return inner.includes('\\') ? inner.replace(/\\(.?)/gs, '$1') : inner
  }

  /** White space and comments; remembers the last comment. True if there was any. */
  #skipSpace(): boolean {
    const start = this.#at
    for (;;) {
      const character = this.#text.charCodeAt(this.#at)
      if (character === 32 || character === 9 || character === 13 || character === 10) this.#at++
      else if (character === openParenthesis) this.#readComment()
      else return this.#at > start
    }
  }

  /** Comments nest (RFC 5322 §3.2.2); one that is not closed takes the rest. */
  #readComment(): void {
    const start = this.#at + 1
    let depth = 0
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]
      if (character === '\\') this.#at++
      else if (character === '(') depth++
      else if (character === ')' && --depth === 0) break
    }
    this.#comment = this.#text.slice(start, this.#at).replace(/\\(.)/gs, '$1').trim()
    this.#at = Math.min(this.#at + 1, this.#text.length)
  }
}

const quote = 0x22
const openParenthesis = 0x28
const dot = 0x2e

/** Atoms, dots, and what passes for them, up to what tells what they are: in a list, in a group, between `<` and `>`. */
const word = /[^ \t\r\n"(<:@,;]+/y
const wordInGroup = /[^ \t\r\n"(<@,;]+/y
const wordInAngle = /[^ \t\r\n"(@>,;]+/y
