import { chmodSync } from 'node:fs'

/**
 * Lets nobody but its owner read a database; for whoever has just made it. Its directory may be one that others can enter,
 * and a umask seldom keeps them from reading. The files that SQLite makes beside it get the mode of the database.
 */
export function ownersAlone(database: string): void {
  chmodSync(database, 0o600)
}
