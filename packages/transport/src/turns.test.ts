import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('commands of all sessions together have five milliseconds of a turn', async () => {
  const time = { ms: 1000, elapsed: () => time.ms }
  const turns = new Turns(time)
  const command = (takes: number): Promise<void> | undefined => {
    const began = time.ms
    time.ms += takes
    return turns.over(began)
  }
  expect([command(2), command(2)]).toEqual([undefined, undefined])
  // What passes between commands is nobody's.
  time.ms += 100
  const order: string[] = []
  setImmediate(() => order.push('what came before'))
  const waits = [command(1), command(0)]
  setImmediate(() => order.push('what came after'))
  expect(waits[0]).toBeInstanceOf(Promise)
  expect(waits[1]).toBe(waits[0])
  await waits[0]?.then(() => order.push('the next command'))
  expect(order).toEqual(['what came before', 'the next command'])
  expect(command(4)).toBeUndefined()
  expect(command(4)).toBeInstanceOf(Promise)
})
