module pwspec/mosn-lib

go 1.21

require mosn.io/proxy-wasm-go-host v0.2.1-0.20230626122511-25a9e133320e

require (
	github.com/c2h5oh/datasize v0.0.0-20171227191756-4eba002a5eae // indirect
	github.com/golang/protobuf v1.5.2 // indirect
	github.com/hashicorp/go-syslog v1.0.0 // indirect
	github.com/rcrowley/go-metrics v0.0.0-20200313005456-10cdbea86bc0 // indirect
	github.com/tetratelabs/wazero v1.2.1 // indirect
	golang.org/x/crypto v0.3.0 // indirect
	golang.org/x/sys v0.4.0 // indirect
	google.golang.org/protobuf v1.28.1 // indirect
	gopkg.in/natefinch/lumberjack.v2 v2.0.0 // indirect
	mosn.io/api v1.6.0 // indirect
	mosn.io/mosn v1.6.1 // indirect
	mosn.io/pkg v1.6.0 // indirect
)
