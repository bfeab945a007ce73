import { mechanismNames } from '@pennypost/sasl'
import { extensions } from './extensions/index.ts'

/** Words that are shown or not by the state of the session. */
const sessionWords = ['STARTTLS', 'LOGINDISABLED']

/** What `disable`, of all or of an account, has an effect for: extensions and words of CAPABILITY, in order of name. */
export function capabilityNames(): readonly string[] {
  const names = new Set([...sessionWords, ...mechanismNames.map((name) => `AUTH=${name}`)])
  for (const { name, capabilities = [] } of extensions) {
    names.add(name.toUpperCase())
    for (const { name: word } of capabilities) if (typeof word === 'string') names.add(word.toUpperCase())
  }
  return [...names].sort()
}
