// SPDX-License-Identifier: Apache-2.0
// Errors with the codes that JSON-RPC clients of Ethereum nodes expect.

export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
export const METHOD_NOT_FOUND = -32601
export const INVALID_PARAMS = -32602
export const INTERNAL_ERROR = -32603
export const SERVER_ERROR = -32000
export const LIMIT_EXCEEDED = -32005
export const EXECUTION_REVERTED = 3

export class RpcError extends Error {
  /**
   * @param {number} code
   * @param {string} message
   * @param {string} [data] what a reverting contract returned
   */
  constructor(code, message, data) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** @param {string} message */
export const invalidParams = (message) => new RpcError(INVALID_PARAMS, message)
