import type { Duplex } from 'node:stream'

/** One client of a dialogue: sends octets, reads whole responses, literals included. */
export class DialogueClient {
  readonly stream: Duplex
  #received: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined
  closed = false

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    stream.on('end', () => this.#close())
    stream.on('close', () => this.#close())
    stream.on('error', () => this.#close())
  }

  send(octets: Buffer): void {
    this.stream.write(octets)
  }

  end(): void {
    this.stream.end()
    this.stream.destroy()
  }

  /** The next response as binary string without its final CRLF; undefined when the connection is closed before one. */
  async response(patienceMs = 30_000): Promise<string | undefined> {
    for (;;) {
      const end = responseEnd(this.#received)
      if (end >= 0) {
        const text = this.#received.toString('latin1', 0, end - 2)
        this.#received = this.#received.subarray(end)
        return text
      }
      if (this.closed) return undefined
      await this.#more(patienceMs)
    }
  }

  /** Sends a command with the tag `x` and reads up to its completion; `<closed>` is last when the connection has ended before. */
  async say(command: string): Promise<string[]> {
    this.send(Buffer.from(`x ${command}\r\n`))
    const responses: string[] = []
    for (;;) {
      const response = await this.response()
      responses.push(response ?? '<closed>')
      if (response === undefined || response.startsWith('x ')) return responses
    }
  }

  /** What came and was not asked for. */
  get unread(): string {
    return this.#received.toString('latin1')
  }

  #more(patienceMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = setTimeout(
        () => reject(new Error(`nothing more came; so far: ${JSON.stringify(this.unread)}`)),
        patienceMs,
      )
      this.#wake = () => {
        clearTimeout(patience)
        this.#wake = undefined
        resolve()
      }
    })
  }

  #close(): void {
    this.closed = true
    this.#wake?.()
  }
}

/** Behind the CRLF that ends the first response, -1 when it is not whole. */
function responseEnd(octets: Buffer): number {
  let from = 0
  for (;;) {
    const end = octets.indexOf('\r\n', from)
    if (end < 0) return -1
    const literal = /\{(\d+)\}$/.exec(octets.toString('latin1', Math.max(from, end - 24), end))
    if (!literal) return end + 2
    from = end + 2 + Number(literal[1])
    if (from > octets.length) return -1
  }
}
