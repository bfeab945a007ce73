import { expect, test } from 'vitest'
import { createBoundedQueue, QueueFull } from './bounded-queue.ts'

test('so many at once, so many in line, in order; the rest is refused at once', async () => {
  const queue = createBoundedQueue({ atOnce: 2, waiting: 2 })
  const begun: number[] = []
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  const work = gates.slice(0, 4).map((gate, index) =>
    queue.run(async () => {
      begun.push(index)
      await gate.promise
      return index
    }),
  )
  await expect(queue.run(async () => 4)).rejects.toThrow(QueueFull)
  expect(begun).toEqual([0, 1])
  gates[1]!.resolve()
  await work[1]
  expect(begun).toEqual([0, 1, 2])
  for (const gate of gates) gate.resolve()
  expect(await Promise.all(work)).toEqual([0, 1, 2, 3])
})

test('work that fails gives its place away all the same', async () => {
  const queue = createBoundedQueue({ atOnce: 1, waiting: 1 })
  const failed = queue.run(() => Promise.reject(new Error('no')))
  const next = queue.run(async () => 'next')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('next')
  expect(await queue.run(async () => 'free again')).toBe('free again')
})
