/**
 * How much work a message would make for mailauth, counted before it gets the octets: it copies the lines of a field once
 * for each that begins no other, moves all that is behind such a line, looks through all fields for each name that a
 * signature covers, looks at a run of white space again from each of its octets, and copies all fields for each signature. For
 * each hash of the body it looks again, with each chunk, at a line that goes on, and copies lines with odd white space octet
 * by octet. So a megabyte that is made for it would keep the worker from all other mail for minutes.
 *
 * Who calls it: the check worker, for each chunk, and when the verifier has read the header.
 */

/** Units of a nanosecond or two: half a second at most. Two thousand recipients on a line each take a fortieth of it. */
const bearable = 3e8
/** For each line before it that belongs to the same field. */
const joinedLine = 4
/** For each line before it that begins no field: all fields behind such a line are moved. */
const movedField = 6
/** For each field, while it is looked for. */
const signedName = 4
/** For each octet of the header, once when it is read, and for each signature: any of them may cover all of it. */
const coveredOctet = 60
/** For each hash: a line that has other white space than single spaces within, and each octet of it. */
const copiedLine = 300
const copiedOctet = 5
/** For each hash, each octet of a line that goes on with the next chunk. */
const rescannedOctet = 3
/** For each hash, each octet of the body. As many hashes as letters have cost what a body costs. */
const hashedOctet = 2
const usualBodies = 2
/** Each takes some memory, until the keys of all signatures are there; no letter has so many. */
const mostFields = 5000

const lf = 10
const cr = 13
const space = 32
const tab = 9
const colon = 58

/** How a line of the header has begun: not yet, with a name, with space behind one, as a field, as none. */
type Line = 'start' | 'name' | 'gap' | 'field' | 'other'

export class Effort {
  #spent = 0
  #inHeader = true
  /** Octets of white space up to here; in the header, line ends too. */
  #run = 0
  #line: Line = 'start'
  /** Lines that continue the field: whatever begins no other. */
  #folds = 0
  /** The same of all fields. */
  #allFolds = 0
  #fields = 0
  /** Of the header; those that end no name may stand between names that are signed. */
  #colons = 0
  /** Of the line of the body, up to here. */
  #length = 0
  #isCopied = false
  #last = 0
  #bodyOctets = 0
  /** For each hash of the body. */
  #perBody = 0
  #headerOctets = 0
  /** How many different hashes of the body are wanted, once the verifier has read the header. */
  bodies = 0
  /** How many signatures there are to be verified, then. */
  signatures = 0

  /** False when the message, up to the end of `octets`, asks for too much. */
  bears(octets: Uint8Array): boolean {
    const from = this.#header(octets)
    if (!this.#inHeader) this.#body(octets, from)
    return this.isBearable
  }

  get isBearable(): boolean {
    const header = this.#headerOctets * coveredOctet * (1 + this.signatures)
    const bodies = this.#perBody * this.bodies
    const moreBodies = this.#bodyOctets * hashedOctet * Math.max(0, this.bodies - usualBodies)
    return this.#spent + header + bodies + moreBodies <= bearable && this.#fields <= mostFields
  }

  /** Where the header section ends in `octets`. */
  #header(octets: Uint8Array): number {
    let at = 0
    while (this.#inHeader && at < octets.length) this.#take(octets[at++] as number)
    this.#headerOctets += at
    return at
  }

  #take(octet: number): void {
    this.#run = isSpace(octet) || octet === cr || octet === lf ? this.#run + 1 : 0
    this.#spent += this.#run
    if (octet === colon) this.#colons++
    if (octet === lf) this.#endLine()
    else if (octet !== cr) this.#line = lineAfter(this.#line, octet)
  }

  #endLine(): void {
    if (this.#line === 'start') {
      this.#inHeader = false
      this.#spent += signedName * this.#fields * (this.#colons - this.#fields)
    } else if (this.#line === 'field') {
      this.#spent += movedField * this.#allFolds
      this.#fields++
      this.#folds = 0
    } else {
      this.#spent += joinedLine * ++this.#folds
      this.#allFolds++
    }
    this.#line = 'start'
  }

  /** Most of a message: it is counted in locals. */
  #body(octets: Uint8Array, from: number): void {
    let run = this.#run
    let last = this.#last
    let isCopied = this.#isCopied
    let begun = from - this.#length
    let spent = 0
    let perBody = rescannedOctet * this.#length
    for (let at = from; at < octets.length; at++) {
      const octet = octets[at] as number
      if (octet === tab || (run > 0 && (octet === space || octet === cr))) isCopied = true
      run = octet === space || octet === tab ? run + 1 : 0
      spent += run
      if (octet === lf) {
        if (isCopied || last !== cr) perBody += copiedLine + copiedOctet * (at - begun)
        isCopied = false
        begun = at + 1
      }
      last = octet
    }
    this.#run = run
    this.#last = last
    this.#isCopied = isCopied
    this.#length = octets.length - begun
    this.#bodyOctets += octets.length - from
    this.#spent += spent
    this.#perBody += perBody
  }
}

function lineAfter(line: Line, octet: number): Line {
  if (line === 'field' || line === 'other') return line
  if (octet === colon) return line === 'start' ? 'other' : 'field'
  if (isSpace(octet)) return line === 'start' ? 'other' : 'gap'
  return line === 'gap' || octet < 33 || octet > 126 ? 'other' : 'name'
}

function isSpace(octet: number): boolean {
  return octet === space || octet === tab
}
