// MOSN as a proxy with its Wasm filter: the packages that a user's own main imports, and nothing else.
// It knows nothing of the harness.
package main

import (
	"os"

	_ "mosn.io/mosn/pkg/filter/network/connectionmanager"
	_ "mosn.io/mosn/pkg/filter/network/proxy"
	_ "mosn.io/mosn/pkg/filter/stream/proxywasm"
	"mosn.io/mosn/pkg/mosn"
	_ "mosn.io/mosn/pkg/network"
	_ "mosn.io/mosn/pkg/protocol"
	_ "mosn.io/mosn/pkg/router"
	_ "mosn.io/mosn/pkg/server/keeper" // signals: TERM ends it in the orderly way
	"mosn.io/mosn/pkg/stagemanager"
	_ "mosn.io/mosn/pkg/stream/http"
	_ "mosn.io/mosn/pkg/wasm/abi/proxywasm010"
	_ "mosn.io/mosn/pkg/wasm/abi/proxywasm020"
	_ "mosn.io/mosn/pkg/wasm/runtime/wazero"
)

func main() {
	stages := stagemanager.InitStageManager(nil, os.Args[1], mosn.NewMosn())
	stages.AppendInitStage(mosn.DefaultInitStage)
	stages.AppendPreStartStage(mosn.DefaultPreStartStage)
	stages.AppendStartStage(mosn.DefaultStartStage)
	stages.RunAll()
}
