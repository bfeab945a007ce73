import { relative } from 'node:path'
import { AdminError } from '../admin-error.ts'

// sockaddr_un on Linux, less the final NUL; the BSDs have four fewer.
const longestPath = 103

/** The path of a Unix socket in a form that the system takes: as it is, or from the working directory. */
export function shortestPath(path: string): string {
  const fromHere = relative('', path)
  const shortest = fromHere.length < path.length ? fromHere : path
  if (Buffer.byteLength(shortest) <= longestPath) return shortest
  const text = `The path of the admin socket is longer than ${longestPath} octets: ${path}`
  throw new AdminError('limit', text, 'Choose a data_dir with a shorter path.')
}
