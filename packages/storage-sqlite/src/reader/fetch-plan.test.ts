/** How many plans there are: each keeps two prepared statements. */
import { expect, test } from 'vitest'
import { planFetch } from './fetch-plan.ts'

test('what is needed is planned once, in whatever order a client names it', () => {
  expect(planFetch({ index: ['preview', 'envelope'] })).toBe(planFetch({ index: ['envelope', 'preview'] }))
})
