// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 over HTTP on the loopback interface: single requests and batches, both of bounded size.

import { createServer } from 'node:http'
import { setImmediate as otherWork } from 'node:timers/promises'
import { INVALID_REQUEST, PARSE_ERROR, RpcError } from './rpc_error.js'

export const BODY_SIZE_MAX = 4 * 1024 * 1024
export const BATCH_COUNT_MAX = 1000
const CONNECTION_COUNT_MAX = 256
const REQUEST_TIMEOUT_MS = 30_000
// Longer than clients pause between two requests, so that they need not connect again.
const KEEP_ALIVE_TIMEOUT_MS = 75_000

/**
 * @param {(method: string, params: unknown) => Promise<unknown>} rpc
 * @param {number} port 0 picks a free one
 * @returns {Promise<{port: number, close: () => Promise<void>}>}
 */
export async function serve(rpc, port) {
  const options = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }
  const server = createServer(options, (request, response) => {
    answer(rpc, request, response).catch(() => response.destroy())
  })
  server.maxConnections = CONNECTION_COUNT_MAX
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: server.address().port,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

async function answer(rpc, request, response) {
  if (request.method !== 'POST') return send(response, 405, undefined)
  const body = await readBody(request)
  if (body === undefined) {
    return send(response, 413, failure(null, new RpcError(INVALID_REQUEST, `request above ${BODY_SIZE_MAX} bytes`)))
  }
  const result = await handle(rpc, body)
  send(response, result === undefined ? 204 : 200, result)
}

function send(response, status, value) {
  const text = value === undefined ? '' : JSON.stringify(value)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  // What follows in an oversized request is not read, so the connection cannot be used again.
  if (status === 413) headers.connection = 'close'
  response.writeHead(status, headers).end(text)
}

async function readBody(request) {
  const parts = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > BODY_SIZE_MAX) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** @returns {Promise<object|object[]|undefined>} undefined: nothing but notifications, so no answer */
async function handle(rpc, body) {
  let parsed
  try {
    parsed = JSON.parse(body)
  } catch {
    return failure(null, new RpcError(PARSE_ERROR, 'not JSON'))
  }
  if (!Array.isArray(parsed)) return handleOne(rpc, parsed)
  if (parsed.length === 0) return failure(null, new RpcError(INVALID_REQUEST, 'empty batch'))
  if (parsed.length > BATCH_COUNT_MAX) {
    return failure(null, new RpcError(INVALID_REQUEST, `batch above ${BATCH_COUNT_MAX} requests`))
  }
  const answers = []
  for (const request of parsed) {
    const one = await handleOne(rpc, request)
    // A long batch must not keep the timer from making blocks.
    await otherWork()
    if (one !== undefined) answers.push(one)
  }
  return answers.length > 0 ? answers : undefined
}

async function handleOne(rpc, request) {
  if (
    typeof request !== 'object' ||
    request === null ||
    request.jsonrpc !== '2.0' ||
    typeof request.method !== 'string'
  ) {
    return failure(request?.id ?? null, new RpcError(INVALID_REQUEST, 'not a JSON-RPC 2.0 request'))
  }
  try {
    const result = await rpc(request.method, request.params)
    return request.id === undefined ? undefined : { jsonrpc: '2.0', id: request.id, result }
  } catch (error) {
    return request.id === undefined ? undefined : failure(request.id, error)
  }
}

function failure(id, { code, message, data }) {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } }
}
