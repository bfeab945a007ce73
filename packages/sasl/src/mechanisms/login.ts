import { decodeText, type Mechanism, type Step } from '../mechanism.ts'

/**
 * LOGIN, which no RFC defines and old clients still speak (draft-murchison-sasl-login-00). Two prompts whose text some
 * clients compare, so it is what every server says; an initial response, which the draft does not have and clients send
 * all the same, is the login name.
 */
export const login: Mechanism = {
  name: 'LOGIN',
  plaintext: true,
  start(initialResponse) {
    // Empty (`=`) is what clients send that cannot send none.
    if (initialResponse && initialResponse.length > 0) return askPassword(initialResponse)
    return { kind: 'challenge', octets: Buffer.from('Username:'), next: askPassword }
  },
}

function askPassword(name: Buffer): Step {
  return { kind: 'challenge', octets: Buffer.from('Password:'), next: (password) => finish(name, password) }
}

function finish(name: Buffer, secret: Buffer): Step {
  const login = decodeText(name)
  const password = decodeText(secret)
  if (login === undefined || password === undefined) return { kind: 'fail', reason: 'LOGIN: not UTF-8' }
  if (login === '' || password === '') return { kind: 'fail', reason: 'LOGIN: empty name or password' }
  return { kind: 'verify', claim: { kind: 'password', login, password } }
}
