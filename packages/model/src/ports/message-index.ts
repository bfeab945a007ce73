/**
 * What one scan at arrival says of a message, stored with it so that no read ever parses.
 * Made by `@pennypost/message`; engines store and return it, and look only into the fields that they sort or find by.
 * All offsets of parts count octets from the start of the body, so that no rendering of the header moves them.
 */
export interface MessageIndex {
  /** RFC 9051 §7.5.2 ENVELOPE, ready to send, including its parentheses; raw UTF-8 where the header has it. */
  envelope: string
  /**
   * BODYSTRUCTURE, ready to send but for its extension data standing between U+0001 and U+0002:
   * `structureFor()` of `@pennypost/message` gives either form.
   */
  structure: string
  /** The part tree with offsets, as text that only `@pennypost/message` reads. */
  parts: string
  /** The body's octets; 0 for a message of a header section alone. */
  bodySize: number
  /** Octets above 127 in the header section: readers without UTF8 get RFC 6858 surrogates. */
  utf8Header: boolean
  /** Octets above 127 in the body: a next hop needs 8BITMIME. */
  eightBitBody: boolean
  /** The message does not end in CRLF: POP3 ends its last line for it, and counts that. */
  openEnd: boolean
  /** RFC 5256 §2.1 base subject, case-folded for SORT; `replyOrForward` is what the base subject lost. */
  baseSubject: string
  replyOrForward: boolean
  /** RFC 5256 §3: mailbox local parts of the first address; display names for SORT=DISPLAY (RFC 5957). Folded. */
  sortFrom: string
  sortTo: string
  sortCc: string
  displayFrom: string
  displayTo: string
  /** The Date field as instant, milliseconds; null when missing or not a date. */
  sentAt: number | null
  /** Written day of the Date field as yyyymmdd (SENTON and its kin use the date as written); null likewise. */
  sentDay: number | null
  /** Message-ID without angle brackets, '' when there is none. */
  messageIdHeader: string
  /** Ids of References, or else the first of In-Reply-To (RFC 5256 §3), oldest first, each without brackets. */
  references: readonly string[]
  /** RFC 8970: up to 200 characters of text; '' when nothing readable is in it. */
  preview: string
}
