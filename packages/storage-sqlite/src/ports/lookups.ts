/** Answers by key, kept until something changes. What is not there is kept too: strangers ask for what is not there. */
export class Lookups<Key extends string | number, Value> {
  readonly #read: (key: Key) => Value
  readonly #answers = new Map<Key, Value>()

  constructor(read: (key: Key) => Value) {
    this.#read = read
  }

  get(key: Key): Value {
    let answer = this.#answers.get(key)
    if (answer === undefined && !this.#answers.has(key)) {
      answer = this.#read(key)
      if (this.#answers.size >= mostAnswers) this.#answers.clear()
      this.#answers.set(key, answer)
    }
    return answer as Value
  }

  clear(): void {
    this.#answers.clear()
  }
}

const mostAnswers = 10_000
