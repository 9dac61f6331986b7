// SPDX-License-Identifier: Apache-2.0
// GoQuorum is a fork that kept the module name of geth, so it is had by a replacement. Its tags (v22.7.4) are no versions
// that Go accepts for a module without /v22 in its name: the commit is named instead.
module wattproof.invalid/interop/goquorum

go 1.16

require github.com/ethereum/go-ethereum v1.10.3

replace (
	github.com/coreos/etcd => github.com/Consensys/etcd v3.3.13-quorum197+incompatible
	github.com/ethereum/go-ethereum => github.com/ConsenSys/quorum v0.0.0-20221208112643-d318a5aa973a
)
