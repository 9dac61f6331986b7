// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BATCH_COUNT_MAX, BODY_SIZE_MAX, serve } from '../src/http.js'
import { RpcError } from '../src/rpc_error.js'

let server
before(async () => {
  const rpc = async (method, params) => {
    if (method === 'fail') throw new RpcError(-32000, 'no', '0x01')
    return { method, params }
  }
  server = await serve(rpc, 0)
})
after(() => server.close())

const url = () => `http://127.0.0.1:${server.port}`
const post = (body) => fetch(url(), { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
const answer = async (body) => (await post(body)).json()
const request = (id, method = 'echo') => ({ jsonrpc: '2.0', id, method, params: [id] })

test('a_request_gets_its_result_and_its_id', async () => {
  assert.deepEqual(await answer(request(7)), { jsonrpc: '2.0', id: 7, result: { method: 'echo', params: [7] } })
  assert.equal((await answer(request('text'))).id, 'text')
})

test('an_error_has_code_message_and_data', async () => {
  const { error } = await answer(request(1, 'fail'))
  assert.deepEqual(error, { code: -32000, message: 'no', data: '0x01' })
})

test('a_batch_is_answered_in_order_without_its_notifications', async () => {
  const notification = { jsonrpc: '2.0', method: 'echo' }
  const answers = await answer([request(1), notification, request(2, 'fail'), 5, request(3)])
  assert.deepEqual(
    answers.map(({ id }) => id),
    [1, 2, null, 3],
  )
  assert.equal((await post(notification)).status, 204)
  assert.equal((await post([notification])).status, 204)
})

test('what_is_no_request_is_refused', async () => {
  assert.equal((await answer('{"jsonrpc"')).error.code, -32700)
  for (const bad of [
    'null',
    '5',
    '[]',
    '{}',
    '{"jsonrpc":"1.0","id":1,"method":"echo"}',
    '{"jsonrpc":"2.0","id":1,"method":5}',
  ]) {
    assert.equal((await answer(bad)).error.code, -32600, bad)
  }
  assert.equal((await fetch(url())).status, 405)
})

test('requests_and_batches_above_their_limit_are_refused', async () => {
  const batch = Array.from({ length: BATCH_COUNT_MAX + 1 }, (_, i) => request(i))
  assert.equal((await answer(batch)).error.code, -32600)
  const large = ' '.repeat(BODY_SIZE_MAX + 1)
  // The server answers before it has read everything, so the client may see a broken connection instead.
  const outcome = await post(large).then(
    (r) => r.status,
    () => 'closed',
  )
  assert.ok(outcome === 413 || outcome === 'closed', outcome)
  assert.equal((await answer(request(1))).id, 1)
})
