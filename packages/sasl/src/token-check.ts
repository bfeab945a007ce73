/**
 * Whose bearer token is this? Asked of whoever issues them, by OAUTHBEARER and XOAUTH2. A port: the composition root
 * has the adapter (RFC 7662 token introspection).
 */
export interface TokenCheck {
  /** Told to clients whose token was refused (RFC 7628 §3.2.2); '' = nothing. */
  readonly discoveryUrl: string
  /** The login name of a token that is valid now, undefined for any other. Rejects when the issuer does not answer. */
  loginOf(token: string): Promise<string | undefined>
}
