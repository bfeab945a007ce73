export { appPasswordVerifier, generateAppPassword } from './app-password.ts'
export {
  type AuthenticationFailure,
  type AuthenticationResult,
  type Authenticator,
  type AuthenticatorLimits,
  type AuthenticatorOptions,
  createAuthenticator,
  defaultAuthenticatorLimits,
  type LoginAttempt,
} from './authenticator.ts'
export { QueueFull } from './bounded-queue.ts'
export { decodeText, type Mechanism, type PasswordClaim, type Step } from './mechanism.ts'
export { login } from './mechanisms/login.ts'
export { plain } from './mechanisms/plain.ts'
export { findMechanism, mechanisms } from './mechanisms.ts'
export {
  createPasswords,
  defaultPasswordLimits,
  importVerifier,
  type PasswordLimits,
  PasswordRefused,
  type Passwords,
} from './passwords.ts'
export { decodeInitialResponse, decodeResponse, maxResponseOctets, type Response } from './response.ts'
