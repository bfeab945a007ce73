/**
 * Selectors with underscores, which RFC 6376 §3.1 has not, are in use, and every other verifier takes them: who signs with
 * one and asks for `p=reject` would lose all mail. mailauth's strict mode alone refuses them, and reads its grammar once,
 * so this is imported before its verifier.
 */
// @ts-expect-error mailauth has no types for its grammar
import syntax from 'mailauth/lib/dkim/syntax.js'

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
syntax.SELECTOR = new RegExp(`^${label}(?:\\.${label})*$`)
