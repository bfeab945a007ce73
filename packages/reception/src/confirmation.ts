import type { JourneyId } from '@pennypost/model'

/**
 * Whether the client has shown to have read its last 250. A client whose connection broke before it did sends the message
 * again, which must then not be there twice.
 */
export class Confirmation {
  readonly #missing: (journey: JourneyId) => void
  /** What was accepted, and how many octets the client had sent when the 250 was said. */
  #waiting: { journey: JourneyId; arrived: number } | undefined
  #gone = false

  /** `missing` is told of the acceptance whose 250 may not have been read, once the client is gone. */
  constructor(missing: (journey: JourneyId) => void) {
    this.#missing = missing
  }

  /** A 250 is about to be said to a client that has sent so many octets, Infinity once it has ended its side. */
  expect(journey: JourneyId, arrived: number): void {
    this.#waiting = { journey, arrived }
    if (this.#gone) this.#miss()
  }

  /** So many octets have been worked: any that came after the 250 show that it was read. */
  worked(octets: number): void {
    if (this.#waiting && octets > this.#waiting.arrived) this.#waiting = undefined
  }

  /** `orderly`: the client ended its side, without an error. */
  gone(orderly: boolean): void {
    this.#gone = true
    if (this.#waiting && !(orderly && Number.isFinite(this.#waiting.arrived))) this.#miss()
  }

  #miss(): void {
    const journey = this.#waiting?.journey
    this.#waiting = undefined
    if (journey) this.#missing(journey)
  }
}
