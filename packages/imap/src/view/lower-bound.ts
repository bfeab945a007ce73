/** Index of the first of `count` rising numbers that is not below `value`. */
export function lowerBound(numbers: Uint32Array, count: number, value: number): number {
  if (count > 0 && (numbers[count - 1] as number) < value) return count
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of `value`, -1 when it is not there. `near` is looked at first, for who goes over rising numbers with rising values. */
export function placeOf(numbers: Uint32Array, count: number, value: number, near = 0): number {
  if (near < count && numbers[near] === value) return near
  const place = lowerBound(numbers, count, value)
  return place < count && numbers[place] === value ? place : -1
}
