export { appPasswordVerifier, generateAppPassword } from './app-password.ts'
export type { AuthenticationFailure, AuthenticationResult, LoginAttempt } from './authentication.ts'
export {
  type Authenticator,
  type AuthenticatorLimits,
  type AuthenticatorOptions,
  createAuthenticator,
} from './authenticator.ts'
export { QueueFull } from './bounded-queue.ts'
export { type ExchangeEnd, type ExchangeOptions, runExchange } from './exchange.ts'
export { loginForLog, lookupLogin } from './login-name.ts'
export { decodeText, type Mechanism, type Peer } from './mechanism.ts'
export { createMechanisms, findMechanism, mechanismNames, usableMechanisms } from './mechanisms.ts'
export {
  createPasswords,
  importVerifier,
  type PasswordLimits,
  PasswordRefused,
  type Passwords,
} from './passwords.ts'
export { preparePassword } from './prepare-password.ts'
export { usableScramVerifier } from './scram-verifier.ts'
export type { TokenCheck } from './token-check.ts'
