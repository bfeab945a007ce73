import type { Mechanism } from './mechanism.ts'
import { login } from './mechanisms/login.ts'
import { plain } from './mechanisms/plain.ts'

/** In the order in which they are announced: the preferred first. */
export const mechanisms: readonly Mechanism[] = [plain, login]

/** By name in any case (RFC 4422 §3.1 has them in upper case; clients do not). */
export function findMechanism(name: string): Mechanism | undefined {
  const upper = name.toUpperCase()
  return mechanisms.find((mechanism) => mechanism.name === upper)
}
