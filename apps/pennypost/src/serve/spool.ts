import { createReadStream, type ReadStream } from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LocalSubmission, SpoolFacts } from '@pennypost/admin'
import { AdminError, type LocalOutcome, laterOrNever, type RefusedRecipient, refusalOf } from '@pennypost/admin/client'
import { createJourneyId, makeDirectory, syncPath, systemClock, systemRandom } from '@pennypost/model'

/**
 * Messages of local programs that came while no server ran: one file each, a line of JSON and the content. `sendmail`
 * writes them, the server takes them at its start. A file gets its name only when all of it is on the disk; it goes only
 * when the server has committed the message, so one that fails between those two is sent again. Of a message that some
 * recipients have, a file for the others alone takes the place. Not for ever: who cannot have what has become too old is
 * refused.
 */
type Envelope = Omit<LocalSubmission, 'content'>

const ending = '.message'
/** Of what will never be taken. */
const refusedEnding = `${ending}.refused`

/** Resolves when the message will survive a loss of power. Gives the name of its file. */
export async function writeSpool(
  directory: string,
  envelope: Envelope,
  content: Buffer | AsyncIterable<Buffer>,
  endsWith = ending,
): Promise<string> {
  makeDirectory(directory, 0o700)
  const name = `${createJourneyId(systemClock.now(), systemRandom)}${endsWith}`
  const path = join(directory, name)
  const file = await open(`${path}.part`, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(envelope)}\n`)
    await file.writeFile(content)
    await file.sync()
    await rename(`${path}.part`, path)
  } catch (error) {
    // Whatever runs every minute would fill the rest of a disk that has too little room for its message.
    await rm(`${path}.part`, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await syncPath(directory)
  return name
}

export interface SpoolTaken {
  /** Messages that somebody has now. */
  submitted: number
  /** Files that wait for a better time. */
  left: number
  /** Why the first of them does, where the reason is none of its recipients. */
  why?: string
  /** Messages, or their recipients, that will never be taken, with why; their files stay, as `NAME.refused`. */
  refused: { file: string; reason: string }[]
}

/**
 * Submits what is in the spool, oldest first. What was written before `tooOldBefore` is refused where it must wait. For
 * the server, at its start and now and then; whose end, `signal`, waits for no more than one message. `settling`: what came
 * of those whose files could not be put away, from one call to the next, so that none is sent again.
 */
export async function takeSpool(
  directory: string,
  tooOldBefore: number,
  submit: (message: LocalSubmission) => Promise<LocalOutcome>,
  signal?: AbortSignal,
  settling = new Map<string, LocalOutcome>(),
): Promise<SpoolTaken> {
  const taken: SpoolTaken = { submitted: 0, left: 0, refused: [] }
  for (const path of await spooled(directory)) {
    if (signal?.aborted) break
    const file = createReadStream(path)
    try {
      const outcome = settling.get(path) ?? (await submit(await readSpooled(file)))
      settling.set(path, outcome)
      const isTooOld = (await stat(path)).mtimeMs < tooOldBefore
      await settle(path, outcome, isTooOld, taken)
      settling.delete(path)
    } catch (error) {
      if (!isFinal(error)) {
        taken.left++
        taken.why ??= (error as Error).message
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

/** Whoever has the message is not to get it again. */
async function settle(
  path: string,
  { journey, refused }: LocalOutcome,
  isTooOld: boolean,
  taken: SpoolTaken,
): Promise<void> {
  const { later, never } = isTooOld ? { later: [], never: refused } : laterOrNever(refused)
  if (later.length > 0) taken.left++
  if (journey === undefined && never.length === 0) return
  if (journey !== undefined) taken.submitted++
  if (later.length > 0) await respool(path, later, ending)
  if (never.length > 0) {
    const file = await respool(path, never, refusedEnding)
    taken.refused.push({ file: basename(file, '.refused'), reason: refusalOf(never).message })
  }
  await rm(path)
  // A name that came back with the power would be a message that is sent twice.
  await syncPath(dirname(path))
}

/** The same message for some of its recipients. */
async function respool(path: string, recipients: readonly RefusedRecipient[], endsWith: string): Promise<string> {
  const file = createReadStream(path)
  try {
    const { content, ...envelope } = await readSpooled(file)
    const forwardPaths = recipients.map(({ forwardPath }) => forwardPath)
    return await writeSpool(dirname(path), { ...envelope, forwardPaths }, content, endsWith)
  } finally {
    file.destroy()
  }
}

/** For `status`. */
export async function spoolFacts(directory: string): Promise<SpoolFacts> {
  const names = await namesIn(directory)
  const count = (end: string): number => names.filter((name) => name.endsWith(end)).length
  return { directory, waiting: count(ending), refused: count(refusedEnding) }
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

async function spooled(directory: string): Promise<string[]> {
  const names = await namesIn(directory)
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(directory, name))
}

const isFinal = (error: unknown): boolean =>
  error instanceof AdminError && ['bad-input', 'not-allowed', 'not-found', 'limit'].includes(error.reason)

/** Longest line of JSON: thousands of recipients. */
const envelopeLimit = 8 * 1024 * 1024

const noSpooledMessage = (): AdminError => new AdminError('bad-input', 'It is no spooled message.')

async function readSpooled(file: ReadStream): Promise<LocalSubmission> {
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  let end = -1
  while (end < 0) {
    const { done, value } = await chunks.next()
    if (done || head.length > envelopeLimit) throw noSpooledMessage()
    head = Buffer.concat([head, value])
    end = head.indexOf(10)
  }
  const envelope = parseEnvelope(head.toString('utf8', 0, end))
  async function* content(): AsyncGenerator<Buffer> {
    yield head.subarray(end + 1)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  return { ...envelope, content: content() }
}

function parseEnvelope(line: string): Envelope {
  try {
    return JSON.parse(line) as Envelope
  } catch {
    throw noSpooledMessage()
  }
}
