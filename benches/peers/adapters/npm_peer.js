// cypress-split by duration, and Jest's sequencer, which knows no durations when it shards.
const fs = require('fs')
const { performance } = require('perf_hooks')

const [, , file, count, which, whole] = process.argv
const durations = JSON.parse(fs.readFileSync(file, 'utf8'))
const shards = Number(count)

function cypressSplit() {
  const { splitByDuration } = require('cypress-split/src/timings.js')
  const list = Object.entries(durations).map(([spec, seconds]) => ({ spec, duration: seconds * 1e3 }))
  const began = performance.now()
  const { chunks } = splitByDuration(shards, list)
  return { took: performance.now() - began, shards: chunks.map((chunk) => chunk.map((item) => item.spec)) }
}

function jest() {
  const Sequencer = require('@jest/test-sequencer').default
  const context = { config: { rootDir: '/' } }
  const tests = Object.keys(durations).map((path) => ({ path, context }))
  const sequencer = new Sequencer({ contexts: [], globalConfig: {} })
  const began = performance.now()
  const one = sequencer.shard(tests, { shardIndex: 1, shardCount: shards })
  const took = performance.now() - began
  // Every node asks for its own shard; all of them are only wanted to check the answer.
  const rest = Array.from({ length: whole ? shards - 1 : 0 }, (_, at) =>
    sequencer.shard(tests, { shardIndex: at + 2, shardCount: shards }))
  return { took, shards: [one, ...rest].map((shard) => shard.map((test) => test.path)) }
}

const { took, shards: found } = { 'cypress-split': cypressSplit, jest }[which]()
process.stdout.write(JSON.stringify({ algorithm_s: took / 1e3, shards: found }))
