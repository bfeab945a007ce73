import { type MimeFields, textPlain } from './mime-fields.ts'

/** A part while its message is being scanned. Offsets count from the start of the message. */
export interface Part {
  kind: 'text' | 'multipart' | 'message' | 'basic'
  parent: Part | undefined
  /** The message itself has depth 1. */
  depth: number
  headerStart: number
  bodyStart: number
  /** Behind the last octet; the line end before a delimiter is the delimiter's. */
  end: number
  /** Line ends in the body, of `text` and `message` only. */
  lines: number
  mime: MimeFields
  /** ENVELOPE of the message inside, of `message` only. */
  envelope: string
  children: Part[]
}

export function newPart(parent: Part | undefined, headerStart: number): Part {
  return {
    kind: 'basic',
    parent,
    depth: (parent?.depth ?? 0) + 1,
    headerStart,
    bodyStart: headerStart,
    end: headerStart,
    lines: 0,
    mime: textPlain,
    envelope: '',
    children: [],
  }
}
