// SPDX-License-Identifier: Apache-2.0
// Asks EthereumJS and the library the same random questions: RLP, trie proofs and headers. Every difference is printed.
//   node differential.mjs PROGRAM [COUNT] [SEED]       PROGRAM: chain_answers; COUNT questions (default 5000)
// Exit status 1 if there is a difference, 2 on wrong use.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../contracts/devnet/package.json', import.meta.url))
const { RLP } = require('@ethereumjs/rlp')
const { createMPT, createMerkleProof, verifyMPTWithMerkleProof } = require('@ethereumjs/mpt')
const { createBlockHeader } = require('@ethereumjs/block')
const { createCustomCommon, Hardfork, Mainnet } = require('@ethereumjs/common')

const batchSize = 2000
const hex = bytes => Buffer.from(bytes).toString('hex')

// Mulberry32: small, seeded, the same everywhere.
class Random {
  constructor(seed) { this.state = seed >>> 0 }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  below(bound) { return this.next() % bound }
  bytes(size) { return Uint8Array.from({ length: size }, () => this.below(256)) }
  pick(list) { return list[this.below(list.length)] }
}

// --- RLP: random values, most of them then damaged ---

function randomValue(random, depth) {
  if (depth === 0 || random.below(3) > 0) return random.bytes(random.pick([0, 1, 1, 2, 20, 32, 55, 56, 300]))
  return Array.from({ length: random.below(6) }, () => randomValue(random, depth - 1))
}

function damaged(random, bytes) {
  const out = Array.from(bytes)
  for (let i = random.below(3); i >= 0; i--) {
    const place = random.below(out.length)
    switch (random.below(4)) {
      case 0: out[place] ^= 1 << random.below(8); break
      case 1: out.splice(place, 1); break
      case 2: out.splice(place, 0, random.below(256)); break
      default: out[random.below(Math.min(4, out.length))] = random.below(256)
    }
    if (out.length === 0) out.push(random.below(256))
  }
  return Uint8Array.from(out)
}

function askRlp(random) {
  const bytes = RLP.encode(randomValue(random, 5))
  const input = random.below(4) === 0 ? bytes : damaged(random, bytes)
  let isValid = true
  try { RLP.decode(input) } catch { isValid = false }
  return { question: `rlp ${hex(input)}`, agrees: answer => (answer === 'ok') === isValid, expected: isValid ? 'ok' : 'error' }
}

// --- Trie proofs: of tries of several shapes, whole and with a node dropped or a bit flipped ---

async function randomTrie(random) {
  const trie = await createMPT()
  const keySize = random.pick([1, 2, 4, 32])
  const count = 1 + random.below(random.pick([3, 30, 200]))
  const keys = []
  for (let i = 0; i < count; i++) {
    const key = random.bytes(keySize)
    await trie.put(key, random.bytes(1 + random.below(random.pick([3, 40, 120]))))
    keys.push(key)
  }
  return { trie, keys, keySize }
}

async function askTrie(random, { trie, keys, keySize }) {
  const key = random.below(3) === 0 ? random.bytes(keySize) : random.pick(keys)
  // EthereumJS lists embedded nodes too; a proof has only those that are named by a hash.
  let nodes = (await createMerkleProof(trie, key)).filter((node, i) => i === 0 || node.length >= 32)
  const fault = random.below(4)
  if (fault === 1) nodes = nodes.filter((_, i) => i !== nodes.length - 1)
  if (fault === 2) {
    const victim = random.below(nodes.length)
    nodes = nodes.map((node, i) => {
      if (i !== victim) return node
      const copy = Uint8Array.from(node)
      copy[random.below(copy.length)] ^= 1 << random.below(8)
      return copy
    })
  }
  let expected
  try {
    const value = await verifyMPTWithMerkleProof(trie, trie.root(), key, nodes)
    expected = value === null ? 'absent' : `found ${hex(value)}`
  } catch { expected = 'error' }
  return {
    question: `trie ${hex(trie.root())} ${hex(key)} ${nodes.map(hex).join(',')}`,
    agrees: answer => answer === expected || (expected === 'error' && answer.startsWith('error trie_')),
    expected
  }
}

// --- Headers of every shape ---

const commons = [[15, Hardfork.Istanbul], [16, Hardfork.London], [17, Hardfork.Shanghai], [20, Hardfork.Cancun], [21, Hardfork.Prague]]
  .map(([fields, hardfork]) => [fields, createCustomCommon({ chainId: 1337, name: 'differential' }, Mainnet, { hardfork })])

function askHeader(random) {
  const [fields, common] = random.pick(commons)
  const number = BigInt(random.next()) * BigInt(1 + random.below(1 << 20))
  const header = createBlockHeader({
    parentHash: random.bytes(32), coinbase: undefined, stateRoot: random.bytes(32), transactionsTrie: random.bytes(32),
    receiptTrie: random.bytes(32), logsBloom: random.bytes(256), number, gasLimit: BigInt(random.next()), gasUsed: 0n,
    timestamp: BigInt(random.next()), extraData: random.bytes(random.below(33)),
    ...(fields >= 16 ? { baseFeePerGas: BigInt(random.below(3) * random.next()) } : {})
  }, { common, skipConsensusFormatValidation: true })
  const expected = `${hex(header.hash())} ${header.number} ${header.timestamp} ${hex(header.stateRoot)}`
  return { question: `header ${fields} ${hex(header.serialize())}`, agrees: answer => answer === expected, expected }
}

// --- The run ---

async function makeBatch(random, size) {
  const cases = []
  let trie = await randomTrie(random)
  for (let i = 0; i < size; i++) {
    if (i % 100 === 99) trie = await randomTrie(random)
    const kind = i % 4
    cases.push(kind === 0 ? askRlp(random) : kind === 1 ? askHeader(random) : await askTrie(random, trie))
  }
  return cases
}

function check(program, cases, tally) {
  const done = spawnSync(program, { input: cases.map(entry => entry.question).join('\n') + '\n', maxBuffer: 1 << 28 })
  if (done.status !== 0) throw new Error(`${program} ended with status ${done.status}`)
  const answers = done.stdout.toString().trimEnd().split('\n')
  if (answers.length !== cases.length) throw new Error(`${answers.length} answers to ${cases.length} questions`)
  cases.forEach((entry, i) => {
    const kind = entry.question.split(' ', 1)[0]
    tally[kind] = (tally[kind] ?? 0) + 1
    const outcome = `${kind} ${entry.expected.split(' ', 1)[0].length > 10 ? 'decoded' : entry.expected.split(' ', 1)[0]}`
    tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1
    if (entry.agrees(answers[i])) return
    tally.differences++
    console.log(`difference: ${entry.question.slice(0, 2000)}\n  EthereumJS: ${entry.expected}\n  wattproof:  ${answers[i]}`)
  })
}

async function main([program, count = '5000', seed = '1']) {
  if (program === undefined || !(Number(count) > 0)) {
    console.error('usage: node differential.mjs PROGRAM [COUNT] [SEED]')
    return 2
  }
  const random = new Random(Number(seed))
  const tally = { differences: 0, outcomes: {} }
  for (let left = Number(count); left > 0; left -= batchSize) {
    check(program, await makeBatch(random, Math.min(left, batchSize)), tally)
  }
  const { differences, outcomes, ...kinds } = tally
  console.log(`questions: ${JSON.stringify(kinds)}`)
  console.log(`what EthereumJS said: ${JSON.stringify(outcomes)}`)
  console.log(`differences: ${differences}`)
  return differences === 0 ? 0 : 1
}

process.exit(await main(process.argv.slice(2)))
