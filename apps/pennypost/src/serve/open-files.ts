import { readFileSync } from 'node:fs'
import type { Log } from '@pennypost/model'

/**
 * How many connections the limit of open files bears. A server without a descriptor left can neither accept nor read a
 * message nor ask DNS: connections that would bring it there are refused with a reply instead.
 */

/** For the store, the log, listeners, certificates, DNS and deliveries. */
const otherFiles = 128
/** A connection has its socket, and every fourth may be reading or writing a large message. */
const filesPerConnection = 1.25

/** `wanted` (0 = no limit), or less when the limit of open files is too low for that, which is said. */
export function bearableConnections(wanted: number, log: Log, files: number = openFileLimit()): number {
  const most = Math.max(1, Math.floor((files - otherFiles) / filesPerConnection))
  if (wanted > 0 && wanted <= most) return wanted
  if (most === Number.POSITIVE_INFINITY) return wanted
  const facts = { openFiles: files, connections: most, wanted }
  log.warn(facts, 'the limit of open files bears fewer connections: raise it (LimitNOFILE= of systemd, ulimit -n)')
  return most
}

/** The soft limit of this process; Node raises it to the hard one at its start. Infinity where nobody says. */
function openFileLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
