import { appendFile, open } from 'node:fs/promises'

/** The record of who changed what and when: JSON lines. Never holds a password, a verifier or a hash. */
export interface AuditRecord {
  /** RFC 3339, UTC. */
  at: string
  /** The system's user who called the verb; the socket admits only the owner of the data directory and root. */
  actor: string
  operation: string
  input: unknown
  outcome: 'done' | 'refused'
  /** Why it was refused. */
  detail?: string
}

const secretKeys = new Set(['password', 'hash', 'verifier', 'secret'])
const longestList = 20

/** The input as it may be kept: without secrets, long lists cut. */
export function auditable(input: unknown): unknown {
  if (Array.isArray(input)) {
    const kept = input.slice(0, longestList).map(auditable)
    return input.length > longestList ? [...kept, `and ${input.length - longestList} more`] : kept
  }
  if (typeof input !== 'object' || input === null) return input
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [key, secretKeys.has(key) && value ? '(secret)' : auditable(value)]),
  )
}

/**
 * Keeps records in a file that only its owner reads, one line each. Never rejects: what has been done is not told as failed
 * because its record finds no room. `onLost` gets a record that could not be written.
 */
export function createAuditFile(
  path: string,
  onLost: (record: AuditRecord, error: Error) => void,
): (record: AuditRecord) => Promise<void> {
  let isCutOff: boolean | undefined
  return async (record) => {
    // The one before may have got half of its line into the file, when it failed or the machine went down.
    isCutOff ??= await endsWithinLine(path)
    const line = `${isCutOff ? '\n' : ''}${JSON.stringify(record)}\n`
    try {
      await appendFile(path, line, { mode: 0o600, flush: true })
      isCutOff = false
    } catch (error) {
      isCutOff = true
      onLost(record, error as Error)
    }
  }
}

async function endsWithinLine(path: string): Promise<boolean> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
    return bytesRead === 1 && buffer[0] !== 10
  } catch {
    // There is none, or whoever writes will hear why not.
    return false
  }
}
