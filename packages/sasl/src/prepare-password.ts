import saslprep from '@mongodb-js/saslprep'

/**
 * SASLprep (RFC 4013): the same password typed on two keyboards gives the same octets. Unassigned code points are let
 * through, since its Unicode 3.2 knows no emoji and people use them.
 */

/** The prepared password; undefined when it holds what RFC 4013 §2.3 prohibits, or nothing is left of it. */
export function preparePassword(password: string): string | undefined {
  // Printable ASCII, nearly every password, is prepared already.
  if (/^[\x20-\x7e]+$/.test(password)) return password
  try {
    return saslprep(password, { allowUnassigned: true }) || undefined
  } catch {
    return undefined
  }
}

/**
 * What to compare with a stored verifier: the prepared form, and the octets as sent where they differ, since verifiers
 * that were imported have been made from those. Never one with NUL, which ends a password for some bcrypts.
 */
export function passwordCandidates(password: string): string[] {
  const prepared = preparePassword(password)
  const candidates = prepared === undefined || prepared === password ? [password] : [prepared, password]
  return candidates.filter((candidate) => !candidate.includes('\0'))
}
