import { lstat } from 'node:fs/promises'
import { createConnection } from 'node:net'

/**
 * A Unix socket outlives a server that was killed. It may be removed only if it is a socket and nobody answers there:
 * anything else in its place is somebody's file, and a socket that answers somebody's server.
 */
export async function isAbandoned(path: string): Promise<boolean> {
  const entry = await lstat(path)
  if (!entry.isSocket()) return false
  return new Promise((resolve) => {
    const probe = createConnection({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
