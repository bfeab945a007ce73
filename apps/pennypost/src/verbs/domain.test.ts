import { expect, test } from 'vitest'
import { waitingText } from './domain.ts'

test('a domain with another next hop did not say that what waits goes to the former one', () => {
  expect(waitingText({ waitsFor: '', target: 'new.test' })).toBe('')
  expect(waitingText({ waitsFor: 'old.test:25', target: 'new.test' })).toBe(
    'What waits for old.test:25 still goes there: ' +
      '`pennypost queue redirect new.test --destination old.test:25` sends it the new way.\n',
  )
})
