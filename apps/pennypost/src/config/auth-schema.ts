import { z } from 'zod'
import { httpUrl, table } from './fields.ts'

/** `[auth]`: what accounts may prove themselves with, beyond passwords over PLAIN and LOGIN. */
export const authSchema = table({
  /** Offer SCRAM-SHA-256; an account can use it once it has logged in with its password in another way. */
  scram: z.boolean().default(false),
  /** PEM: who issues the certificates with which clients log in (SASL EXTERNAL); '' = they are not asked for. */
  client_ca: z.string().default(''),
  /** Who says whose a bearer token is (OAUTHBEARER, XOAUTH2), by RFC 7662; absent: no tokens. */
  tokens: z
    .strictObject({
      introspection_url: httpUrl,
      client_id: z.string().min(1),
      /** The client's secret stands alone in this file. */
      client_secret_file: z.string().min(1),
      /** The member of the answer that is the login name. */
      login_claim: z.string().min(1).default('username'),
      /** What a token has to be good for (RFC 6749 §3.3); '': any token of that issuer opens the mail. */
      scope: z
        .string()
        .regex(/^[!#-[\]-~]*$/, 'is no scope: one word without quotes')
        .default(''),
      /** Told to clients whose token was refused (RFC 7628 §3.2.2). */
      discovery_url: z.union([z.literal(''), httpUrl]).default(''),
    })
    .optional(),
})
