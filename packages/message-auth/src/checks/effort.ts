/**
 * How much work a message would make for mailauth, counted before it gets the octets: it copies the lines of a folded
 * field once for each of them, and looks at a run of white space again from each of its octets. So a megabyte that is
 * made for it would keep the worker from all other mail for minutes.
 *
 * Who calls it: the check worker, for each chunk.
 */

/** A second or two. Two thousand recipients on a line each take two thousandths of it. */
const bearable = 1e9

const [lf, cr, space, tab] = [10, 13, 32, 9]

export class Effort {
  #spent = 0
  #inHeader = true
  /** Octets of white space up to here; in the header, line ends too. */
  #run = 0
  /** Lines that continue the field. */
  #folds = 0
  /** Of the line, up to here. */
  #length = 0

  /** False when the message, up to the end of `octets`, asks for too much. */
  bears(octets: Uint8Array): boolean {
    for (const octet of octets) this.#take(octet)
    return this.#spent <= bearable
  }

  #take(octet: number): void {
    const isSpace = octet === space || octet === tab
    if (this.#inHeader && this.#length === 0 && octet !== cr && octet !== lf) this.#begin(isSpace)
    this.#run = isSpace || (this.#inHeader && (octet === cr || octet === lf)) ? this.#run + 1 : 0
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
}
