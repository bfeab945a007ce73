import type { Reply } from '../reply.ts'
import type { Phase } from './failure.ts'

/**
 * What passed over the connection, line by line, for the journey: never content, never credentials.
 * Bounded for each transaction (the dialogue before the first one counts as one): beyond it one note says so.
 */
export interface TranscriptEvent {
  /** `note` is a word of the client itself, such as how many octets of content went out. */
  direction: 'sent' | 'received' | 'note'
  phase: Phase
  /** Milliseconds of the clock since the client was made. */
  elapsedMs: number
  /** One line without its end, cut at `lineCharacters`. */
  line: string
}

export interface TranscriptLimits {
  /** Events of one transaction. */
  events: number
  /** Characters of all of them. */
  characters: number
  lineCharacters: number
}

export const defaultTranscriptLimits: TranscriptLimits = { events: 2000, characters: 100_000, lineCharacters: 1000 }

export class Transcript {
  readonly #sink: (event: TranscriptEvent) => void
  readonly #elapsed: () => number
  readonly #limits: TranscriptLimits
  readonly #begun: number
  #count = 0
  #characters = 0
  #isCut = false

  constructor(sink: (event: TranscriptEvent) => void, elapsed: () => number, limits: TranscriptLimits) {
    this.#sink = sink
    this.#elapsed = elapsed
    this.#limits = limits
    this.#begun = elapsed()
  }

  /** A transaction begins: it has the whole bound for itself. */
  begin(): void {
    this.#count = 0
    this.#characters = 0
    this.#isCut = false
  }

  sent(phase: Phase, line: string): void {
    this.#event('sent', phase, line)
  }

  received(phase: Phase, { code, enhanced, lines }: Reply): void {
    const status = enhanced === null ? '' : `${enhanced} `
    for (let at = 0; at < lines.length; at++) {
      this.#event('received', phase, `${code}${at < lines.length - 1 ? '-' : ' '}${status}${lines[at]}`)
    }
  }

  note(phase: Phase, line: string): void {
    this.#event('note', phase, line)
  }

  #event(direction: TranscriptEvent['direction'], phase: Phase, line: string): void {
    if (this.#isCut) return
    const { events, characters, lineCharacters } = this.#limits
    line = line.slice(0, lineCharacters)
    this.#characters += line.length
    if (++this.#count > events || this.#characters > characters) {
      this.#isCut = true
      direction = 'note'
      line = 'transcript is cut here'.slice(0, lineCharacters)
    }
    this.#sink({ direction, phase, elapsedMs: this.#elapsed() - this.#begun, line })
  }
}
