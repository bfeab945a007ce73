import { expect, test } from 'vitest'
import { firstScreen } from './first-screen.ts'

test('a long verb keeps its distance from what it does', () => {
  const text = firstScreen({ dns: { summary: 'records' }, suppression: { summary: 'dead recipients' } })
  expect(text).toContain('\n  dns          records\n  suppression  dead recipients\n')
})
