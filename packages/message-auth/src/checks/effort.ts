/**
 * How much work a message would make for mailauth, counted before it gets the octets: it copies the lines of a folded
 * field once for each of them, and looks at a run of white space again from each of its octets. So a megabyte that is
 * made for it would keep the worker from all other mail for minutes.
 *
 * Who calls it: the check worker, for each chunk.
 */

/** A second or two. Two thousand recipients on a line each take two thousandths of it. */
const bearable = 1e9

const lf = 10
const cr = 13
const space = 32
const tab = 9

export class Effort {
  #spent = 0
  #inHeader = true
  /** Octets of white space up to here; in the header, line ends too. */
  #run = 0
  /** Lines that continue the field. */
  #folds = 0
  /** Of the line of the header, up to here. */
  #length = 0

  /** False when the message, up to the end of `octets`, asks for too much. */
  bears(octets: Uint8Array): boolean {
    this.#body(octets, this.#header(octets))
    return this.#spent <= bearable
  }

  /** Where the header section ends in `octets`. */
  #header(octets: Uint8Array): number {
    let at = 0
    while (this.#inHeader && at < octets.length) this.#take(octets[at++] as number)
    return at
  }

  #take(octet: number): void {
    const isSpace = octet === space || octet === tab
    const endsLine = octet === cr || octet === lf
    if (this.#length === 0 && !endsLine) this.#begin(isSpace)
    this.#run = isSpace || endsLine ? this.#run + 1 : 0
    this.#spent += this.#run
    if (octet === lf) {
      if (this.#length === 0) this.#inHeader = false
      this.#length = 0
    } else if (octet !== cr) this.#length++
  }

  #begin(continues: boolean): void {
    this.#folds = continues ? this.#folds + 1 : 0
    this.#spent += this.#folds
  }

  /** Most of a message: it is counted in locals. */
  #body(octets: Uint8Array, from: number): void {
    let run = this.#run
    let spent = 0
    for (let at = from; at < octets.length; at++) {
      const octet = octets[at]
      run = octet === space || octet === tab ? run + 1 : 0
      spent += run
    }
    this.#run = run
    this.#spent += spent
  }
}
