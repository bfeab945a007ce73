import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { LocalSubmission } from '@pennypost/admin'
import { AdminError } from '@pennypost/admin/client'
import { createJourneyId, systemClock, systemRandom } from '@pennypost/model'

/**
 * Messages of local programs that came while no server ran: one file each, a line of JSON and the content. `sendmail`
 * writes them, the server takes them at its start. A file gets its name only when all of it is on the disk; it goes only
 * when the server has committed the message, so one that fails between those two is sent again.
 */
type Envelope = Omit<LocalSubmission, 'content'>

const ending = '.message'

/** Resolves when the message will survive a loss of power. Gives the name of its file. */
export async function writeSpool(directory: string, envelope: Envelope, content: Buffer): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const name = `${createJourneyId(systemClock.now(), systemRandom)}${ending}`
  const path = join(directory, name)
  const file = await open(`${path}.part`, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(envelope)}\n`)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
  await syncDirectory(directory)
  return name
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export interface SpoolTaken {
  submitted: number
  /** Files that wait for a better time. */
  left: number
  /** Messages that will never be taken, with why; their files stay, as `NAME.refused`. */
  refused: { file: string; reason: string }[]
}

/** Submits what is in the spool, oldest first. For the server, at its start and now and then. */
export async function takeSpool(
  directory: string,
  submit: (message: LocalSubmission) => Promise<unknown>,
): Promise<SpoolTaken> {
  const taken: SpoolTaken = { submitted: 0, left: 0, refused: [] }
  for (const path of await spooled(directory)) {
    const file = createReadStream(path)
    try {
      await submit(await readSpooled(file))
      await rm(path)
      taken.submitted++
    } catch (error) {
      if (!isFinal(error)) {
        taken.left++
        continue
      }
      await rename(path, `${path}.refused`)
      taken.refused.push({ file: basename(path), reason: (error as Error).message })
    } finally {
      // Whoever refused it has not read it to its end.
      file.destroy()
    }
  }
  return taken
}

async function spooled(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(directory, name))
}

const isFinal = (error: unknown): boolean =>
  error instanceof AdminError && ['bad-input', 'not-allowed', 'not-found', 'limit'].includes(error.reason)

/** Longest line of JSON: thousands of recipients. */
const envelopeLimit = 8 * 1024 * 1024

async function readSpooled(file: ReadStream): Promise<LocalSubmission> {
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  let end = -1
  while (end < 0) {
    const { done, value } = await chunks.next()
    if (done || head.length > envelopeLimit) throw new AdminError('bad-input', 'It is no spooled message.')
    head = Buffer.concat([head, value])
    end = head.indexOf(10)
  }
  const envelope = JSON.parse(head.toString('utf8', 0, end)) as Envelope
  async function* content(): AsyncGenerator<Buffer> {
    yield head.subarray(end + 1)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  return { ...envelope, content: content() }
}
