#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Compiles the contracts and writes artifacts/. `--check` writes nothing and fails if the committed artifacts are not what the
// sources give: they are committed so that a C++ build needs no Node.
import { readdirSync, readFileSync, writeFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const solc = require('solc')

const here = dirname(fileURLToPath(import.meta.url))
const sourceDir = join(here, 'src')
const artifactDir = join(here, 'artifacts')
const codeSizeMax = 24576 // bytes of deployed code, EIP-170

// The contracts that are deployed, and of each the words that a device proves, by name.
const deployed = {
  DeviceRegistry: ['contractOf', 'checkInOf'],
  Scheduler: ['epochWord', 'recordOf'],
}

const settings = {
  evmVersion: 'london',
  viaIR: true,
  optimizer: { enabled: true, runs: 10000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: {
    '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'storageLayout'] },
  },
}

function compile() {
  const sources = {}
  for (const name of readdirSync(sourceDir)
    .filter((n) => n.endsWith('.sol'))
    .sort()) {
    sources[`src/${name}`] = { content: readFileSync(join(sourceDir, name), 'utf8') }
  }
  const findImport = (path) => {
    const file = join(here, 'node_modules', path)
    return existsSync(file) ? { contents: readFileSync(file, 'utf8') } : { error: `no such file: ${path}` }
  }
  const input = JSON.stringify({ language: 'Solidity', sources, settings })
  const output = JSON.parse(solc.compile(input, { import: findImport }))
  const problems = output.errors ?? []
  for (const problem of problems) console.error(problem.formattedMessage)
  if (problems.length) throw new Error('the compiler has errors or warnings')
  return output.contracts
}

// The layout without the compiler's internal numbering, which changes with every edit.
function tidyLayout({ storage, types }) {
  const plain = (type) => type.replace(/\)\d+_/g, ')_')
  return {
    storage: storage.map(({ label, offset, slot, type }) => ({ label, offset, slot, type: plain(type) })),
    types: Object.fromEntries(
      Object.entries(types ?? {}).map(([name, { encoding, label, numberOfBytes, members }]) => [
        plain(name),
        {
          encoding,
          label,
          numberOfBytes,
          ...(members && {
            members: members.map((m) => ({ label: m.label, offset: m.offset, slot: m.slot, type: plain(m.type) })),
          }),
        },
      ]),
    ),
  }
}

function artifacts() {
  const contracts = compile()
  const files = {}
  const layout = {}
  for (const [name, words] of Object.entries(deployed)) {
    const contract = contracts[`src/${name}.sol`][name]
    const size = contract.evm.deployedBytecode.object.length / 2
    if (size > codeSizeMax) throw new Error(`${name} has ${size} bytes of code, more than ${codeSizeMax}`)
    const storageLayout = tidyLayout(contract.storageLayout)
    layout[name] = Object.fromEntries(
      words.map((word) => {
        const found = storageLayout.storage.find((v) => v.label === word && v.offset === 0)
        if (!found) throw new Error(`${name}.${word} is not in the storage layout`)
        return [word, Number(found.slot)]
      }),
    )
    files[`${name}.json`] = {
      contractName: name,
      compiler: `solc ${solc.version()}`,
      settings: { evmVersion: settings.evmVersion, viaIR: settings.viaIR, optimizer: settings.optimizer },
      abi: contract.abi,
      bytecode: `0x${contract.evm.bytecode.object}`,
      deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
      storageLayout,
    }
  }
  files['layout.json'] = layout
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, `${JSON.stringify(content, null, 2)}\n`]))
}

const check = process.argv.includes('--check')
mkdirSync(artifactDir, { recursive: true })
let stale = 0
for (const [name, content] of Object.entries(artifacts())) {
  const file = join(artifactDir, name)
  if (existsSync(file) && readFileSync(file, 'utf8') === content) continue
  if (check) {
    console.error(`contracts/artifacts/${name} is not current: run 'node build.js' in contracts/`)
    ++stale
  } else {
    writeFileSync(file, content)
    console.log(`wrote artifacts/${name}`)
  }
}
if (check && stale === 0) console.log('artifacts are current')
process.exit(stale === 0 ? 0 : 1)
