// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package node names the command that `go build` makes here; nothing of it is compiled into wattproof.
package node

import _ "github.com/ethereum/go-ethereum/cmd/geth"
