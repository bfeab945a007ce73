/**
 * Selectors and domains with underscores, which RFC 6376 §3.1 and the grammar of host names have not, are in use, and every
 * other verifier takes them: who sends with one and asks for `p=reject` would lose all mail. mailauth's strict mode alone
 * refuses such signatures, and its SPF such senders; it reads its grammar once, so this is imported before it.
 */
import Joi from 'joi'
// @ts-expect-error mailauth has no types for its grammar
import syntax from 'mailauth/lib/dkim/syntax.js'

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
syntax.SELECTOR = new RegExp(`^${label}(?:\\.${label})*$`)
syntax.DOMAIN_NAME = new RegExp(`^${label}(?:\\.${label})+$`)

// It has one name looked at, the sender's, which `findings/spf.ts` has done by RFC 7208 §4.3.
Object.getPrototypeOf(Joi.string()).domain = function whatever(this: unknown): unknown {
  return this
}
