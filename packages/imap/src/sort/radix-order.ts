import { nextTurn } from '@pennypost/model'

/** Whole numbers that things are compared by, one for each, and whether the greatest comes first. */
export interface SortColumn {
  values: Float64Array
  reverse: boolean
}

/**
 * The numbers 0..count-1 of things in the order of the columns, the first of which counts most; equal ones in the order of
 * their numbers. Digit by digit from the least, each pass keeping what the one before has made: no comparison, and a time
 * that grows as the count does. Other sessions get their turn between passes.
 */
export async function radixOrder(count: number, columns: readonly SortColumn[]): Promise<Uint32Array> {
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  let next = new Uint32Array(count)
  const digits = new Uint16Array(count)
  for (const { values, reverse } of columns.toReversed()) {
    const [least, greatest] = boundsOf(values, count)
    const zero = reverse ? greatest : least
    for (let scale = 1; scale <= greatest - least; scale *= radix) {
      for (let i = 0; i < count; i++) digits[i] = (Math.abs((values[i] as number) - zero) / scale) & (radix - 1)
      deal(order, next, digits)
      ;[order, next] = [next, order]
      await nextTurn()
    }
  }
  return order
}

const radix = 2048

/** Puts what is in `from` into `to` in the order of its digits. */
function deal(from: Uint32Array, to: Uint32Array, digits: Uint16Array): void {
  const starts = new Uint32Array(radix + 1)
  for (let i = 0; i < digits.length; i++) {
    const behind = (digits[i] as number) + 1
    starts[behind] = (starts[behind] as number) + 1
  }
  for (let digit = 1; digit < radix; digit++) starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number)
  for (let i = 0; i < from.length; i++) {
    const place = from[i] as number
    const digit = digits[place] as number
    const at = starts[digit] as number
    starts[digit] = at + 1
    to[at] = place
  }
}

function boundsOf(values: Float64Array, count: number): [least: number, greatest: number] {
  let least = values[0] ?? 0
  let greatest = least
  for (let i = 1; i < count; i++) {
    const value = values[i] as number
    if (value < least) least = value
    else if (value > greatest) greatest = value
  }
  return [least, greatest]
}
