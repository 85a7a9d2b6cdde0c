// The family 0.1.0: what the library asks of its embedder, and its typed calls. What is not here is
// answered by the library's own default.
//
// It does not know what is played.
package main

import (
	"mosn.io/proxy-wasm-go-host/proxywasm/common"
	v1 "mosn.io/proxy-wasm-go-host/proxywasm/v1"
)

type imports1 struct {
	v1.DefaultImportsHandler
	v *vm
}

type family1 struct {
	v   *vm
	ctx *v1.ABIContext
}

func newV1(v *vm) family {
	return &family1{v, &v1.ABIContext{Imports: &imports1{v: v}, Instance: v.instance}}
}

func result1(ok bool) v1.WasmResult {
	if ok {
		return v1.WasmResultOk
	}
	return v1.WasmResultBadArgument
}

func (i *imports1) GetRootContextID() int32          { return int32(i.v.root) }
func (i *imports1) GetVmConfig() common.IoBuffer     { return i.v.config(i.v.load.VMConfig) }
func (i *imports1) GetPluginConfig() common.IoBuffer { return i.v.config(i.v.plugin.Config) }
func (i *imports1) Log(level v1.LogLevel, message string) v1.WasmResult {
	i.v.log(int32(level), message)
	return v1.WasmResultOk
}
func (i *imports1) SetEffectiveContextID(id int32) v1.WasmResult { return result1(i.v.effective(id)) }
func (i *imports1) SetTickPeriodMilliseconds(ms int32) v1.WasmResult {
	i.v.h.effect(i.v.name, i.v.root, "tick_period", map[string]any{"ms": uint32(ms)})
	return v1.WasmResultOk
}

func (i *imports1) GetHttpRequestHeader() common.HeaderMap   { return i.v.header("request_headers") }
func (i *imports1) GetHttpRequestBody() common.IoBuffer      { return i.v.buffer("request_body") }
func (i *imports1) GetHttpRequestTrailer() common.HeaderMap  { return i.v.header("request_trailers") }
func (i *imports1) GetHttpResponseHeader() common.HeaderMap  { return i.v.header("response_headers") }
func (i *imports1) GetHttpResponseBody() common.IoBuffer     { return i.v.buffer("response_body") }
func (i *imports1) GetHttpResponseTrailer() common.HeaderMap { return i.v.header("response_trailers") }

func (i *imports1) GetHttpCallResponseHeaders() common.HeaderMap { return i.v.answerHeaders() }
func (i *imports1) GetHttpCallResponseBody() common.IoBuffer     { return i.v.answerBody() }
func (i *imports1) GetHttpCallResponseTrailer() common.HeaderMap { return i.v.answerTrailers() }

func (i *imports1) HttpCall(upstream string, headers common.HeaderMap, body common.IoBuffer, trailers common.HeaderMap, timeout int32) (int32, v1.WasmResult) {
	id, ok := i.v.httpCall(upstream, headers, body, trailers, uint32(timeout))
	return int32(id), result1(ok)
}
func (i *imports1) ResumeHttpRequest() v1.WasmResult {
	return result1(i.v.side("continue_stream", "http_request"))
}
func (i *imports1) ResumeHttpResponse() v1.WasmResult {
	return result1(i.v.side("continue_stream", "http_response"))
}
func (i *imports1) SendHttpResp(status int32, details, body common.IoBuffer, headers common.HeaderMap, grpc int32) v1.WasmResult {
	return result1(i.v.respond(status, details, body, headers, grpc))
}

func (f *family1) lock()               { f.v.instance.Lock(f.ctx) }
func (f *family1) exports() v1.Exports { return f.ctx.GetExports() }

func (f *family1) contextCreate(id, parent int32) error {
	return f.exports().ProxyOnContextCreate(id, parent)
}
func (f *family1) vmStart(root, size int32) (int32, error) {
	return f.exports().ProxyOnVmStart(root, size)
}
func (f *family1) configure(root, size int32) (int32, error) {
	return f.exports().ProxyOnConfigure(root, size)
}
func (f *family1) done(id int32) (int32, error) { return f.exports().ProxyOnDone(id) }
func (f *family1) delete(id int32) error        { return f.exports().ProxyOnDelete(id) }
func (f *family1) tick(root int32) error        { return f.exports().ProxyOnTick(root) }

func (f *family1) headers(response bool, id, count, end int32) (bool, error) {
	call := f.exports().ProxyOnRequestHeaders
	if response {
		call = f.exports().ProxyOnResponseHeaders
	}
	a, err := call(id, count, end)
	return a == v1.ActionPause && err == nil, err
}

func (f *family1) body(response bool, id, size, end int32) (bool, error) {
	call := f.exports().ProxyOnRequestBody
	if response {
		call = f.exports().ProxyOnResponseBody
	}
	a, err := call(id, size, end)
	return a == v1.ActionPause && err == nil, err
}

func (f *family1) trailers(response bool, id, count int32) (bool, error) {
	call := f.exports().ProxyOnRequestTrailers
	if response {
		call = f.exports().ProxyOnResponseTrailers
	}
	a, err := call(id, count)
	return a == v1.ActionPause && err == nil, err
}

func (f *family1) httpCallResponse(root, call, headers, body, trailers int32) error {
	return f.exports().ProxyOnHttpCallResponse(root, call, headers, body, trailers)
}
