import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { UsageError } from './usage-error.ts'

/** The person at the keyboard, or the script: what is printed where, and how passwords are asked for. */

export const out = (text: string): boolean => process.stdout.write(text)
export const note = (text: string): boolean => process.stderr.write(text)

/** For verbs that keep the audit themselves: what they did is done, though its record found no room. */
export const noteAuditLost = (_record: unknown, { message }: Error): void => {
  note(`pennypost: the audit record cannot be written: ${message}\n`)
}

/** Shows how far a long verb is, on one line that is written again; nothing where nobody looks. */
export class ProgressLine {
  #shown = ''
  #isOpen = false

  show(text: string): void {
    if (!process.stderr.isTTY || text === this.#shown) return
    this.#shown = text
    this.#isOpen = true
    note(`\r\x1b[K${text}`)
  }

  /** Takes the line away, so that what is printed next stands alone. */
  end(): void {
    if (this.#isOpen) note('\r\x1b[K')
    this.#isOpen = false
  }
}

/** All of standard input, at most `limit` octets. */
export async function readInput(limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new UsageError(`Standard input holds more than ${limit} octets.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The first line of standard input. */
export async function readPasswordLine(): Promise<string> {
  const [line = ''] = (await readInput(64 * 1024)).toString('utf8').split(/\r?\n/)
  if (line === '') throw new UsageError('Standard input holds no password.')
  return line
}

/** Asks without showing what is typed. */
export async function askHidden(question: string): Promise<string> {
  note(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.on('SIGINT', () => reject(new UsageError('Stopped.')))
      reader.on('close', () => reject(new UsageError('No password was given.')))
      reader.question('', resolve)
    })
  } finally {
    reader.close()
    note('\n')
  }
}

/** A new password: from standard input, or typed twice. */
export async function newPassword(login: string, options: { passwordStdin?: boolean }): Promise<string> {
  if (options.passwordStdin) return readPasswordLine()
  if (!process.stdin.isTTY) throw new UsageError('Nobody is here to type a password: give it with --password-stdin.')
  const first = await askHidden(`New password for ${login}: `)
  if (first !== (await askHidden('Once more: '))) throw new UsageError('The two passwords differ; nothing was changed.')
  return first
}
