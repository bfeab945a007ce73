import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'

/** A bare IMAP client for measuring: it looks at nothing of a response but how long it is and how it ends. */
export class WireClient {
  readonly #socket: Socket
  #tag = 0
  #tail = ''
  #octets = 0
  #text = ''
  #waiting: { end: RegExp; resolve: (text: string) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk.toString('latin1')))
    socket.on('error', (error) => {
      throw error
    })
  }

  static async open(port: number, login: string, password: string): Promise<WireClient> {
    const client = new WireClient(connect(port, '127.0.0.1'))
    await client.#until(/^\* OK[^\n]*\r\n$/)
    await client.run(`LOGIN ${login} ${password}`)
    return client
  }

  /** Runs a command; gives the end of what was said, at most 64 KB. Throws unless it was OK. */
  async run(command: string): Promise<string> {
    const tag = `bench${++this.#tag}`
    this.#socket.write(`${tag} ${command}\r\n`)
    const said = await this.#until(new RegExp(`(?:^|\\r\\n)${tag} [^\\n]*\\r\\n$`))
    if (!new RegExp(`(?:^|\\r\\n)${tag} OK`).test(said)) throw new Error(`${command.slice(0, 60)}: ${said.slice(-200)}`)
    return said
  }

  /** Sends octets that belong to a command under way, or one that is not to be answered yet. */
  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** Octets of the last answer. */
  get octets(): number {
    return this.#octets
  }

  #until(end: RegExp): Promise<string> {
    this.#text = this.#tail = ''
    this.#octets = 0
    return new Promise((resolve) => {
      this.#waiting = { end, resolve }
    })
  }

  #take(text: string): void {
    this.#octets += text.length
    this.#text = (this.#text + text).slice(-65_536)
    this.#tail = this.#text.slice(-4000)
    if (!this.#waiting?.end.test(this.#tail)) return
    const { resolve } = this.#waiting
    this.#waiting = undefined
    resolve(this.#text)
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** Milliseconds of CPU that a process has used, all its threads. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Kilobytes that a process has in memory, shared pages counted in proportion. */
export function memoryOf(pid: number): number {
  return Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
}

/** Median and 99th percentile. */
export function percentiles(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 }
}
