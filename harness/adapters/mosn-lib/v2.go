// The family 0.2.0, whose host functions follow an old draft: what the library asks of its embedder, and
// its typed calls. What is not here is answered by the library's own default.
//
// It does not know what is played.
package main

import (
	"errors"

	"mosn.io/proxy-wasm-go-host/proxywasm/common"
	v2 "mosn.io/proxy-wasm-go-host/proxywasm/v2"
)

type imports2 struct {
	v2.DefaultImportsHandler
	v *vm
}

type family2 struct {
	v   *vm
	ctx *v2.ABIContext
}

func newV2(v *vm) family {
	return &family2{v, &v2.ABIContext{Imports: &imports2{v: v}, Instance: v.instance}}
}

func result2(ok bool) v2.Result {
	if ok {
		return v2.ResultOk
	}
	return v2.ResultBadArgument
}

func (i *imports2) GetVmConfig() common.IoBuffer     { return i.v.config(i.v.load.VMConfig) }
func (i *imports2) GetPluginConfig() common.IoBuffer { return i.v.config(i.v.plugin.Config) }
func (i *imports2) Log(level v2.LogLevel, message string) v2.Result {
	i.v.log(int32(level), message)
	return v2.ResultOk
}
func (i *imports2) SetEffectiveContext(id int32) v2.Result { return result2(i.v.effective(id)) }

func (i *imports2) GetHttpRequestHeader() common.HeaderMap   { return i.v.header("request_headers") }
func (i *imports2) GetHttpRequestBody() common.IoBuffer      { return i.v.buffer("request_body") }
func (i *imports2) GetHttpRequestTrailer() common.HeaderMap  { return i.v.header("request_trailers") }
func (i *imports2) GetHttpResponseHeader() common.HeaderMap  { return i.v.header("response_headers") }
func (i *imports2) GetHttpResponseBody() common.IoBuffer     { return i.v.buffer("response_body") }
func (i *imports2) GetHttpResponseTrailer() common.HeaderMap { return i.v.header("response_trailers") }

func (i *imports2) GetHttpCallResponseHeaders() common.HeaderMap { return i.v.answerHeaders() }
func (i *imports2) GetHttpCalloutResponseBody() common.IoBuffer  { return i.v.answerBody() }
func (i *imports2) GetHttpCallResponseTrailer() common.HeaderMap { return i.v.answerTrailers() }

func (i *imports2) DispatchHttpCall(upstream string, headers common.HeaderMap, body common.IoBuffer, trailers common.HeaderMap, timeout uint32) (uint32, v2.Result) {
	id, ok := i.v.httpCall(upstream, headers, body, trailers, timeout)
	return id, result2(ok)
}
func (i *imports2) ResumeHttpRequest() v2.Result {
	return result2(i.v.side("continue_stream", "http_request"))
}
func (i *imports2) ResumeHttpResponse() v2.Result {
	return result2(i.v.side("continue_stream", "http_response"))
}
func (i *imports2) CloseHttpRequest() v2.Result {
	return result2(i.v.side("close_stream", "http_request"))
}
func (i *imports2) CloseHttpResponse() v2.Result {
	return result2(i.v.side("close_stream", "http_response"))
}
func (i *imports2) SendHttpResp(status int32, details, body common.IoBuffer, headers common.HeaderMap, grpc int32) v2.Result {
	return result2(i.v.respond(status, details, body, headers, grpc))
}

func (f *family2) lock()               { f.v.instance.Lock(f.ctx) }
func (f *family2) exports() v2.Exports { return f.ctx.GetExports() }

func (f *family2) contextCreate(id, parent int32) error {
	kind := v2.ContextTypeHttpContext
	if parent == 0 {
		kind = v2.ContextTypePluginContext
	}
	return f.exports().ProxyOnContextCreate(id, parent, kind)
}
func (f *family2) vmStart(root, size int32) (int32, error) {
	return f.exports().ProxyOnVmStart(root, size)
}
func (f *family2) configure(root, size int32) (int32, error) {
	return f.exports().ProxyOnConfigure(root, size)
}
func (f *family2) done(id int32) (int32, error) { return f.exports().ProxyOnDone(id) }
func (f *family2) delete(id int32) error        { return f.exports().ProxyOnDelete(id) }
func (f *family2) tick(int32) error {
	return errors.New("this family has proxy_on_timer_ready in place of proxy_on_tick")
}

func (f *family2) headers(response bool, id, count, end int32) (bool, error) {
	call := f.exports().ProxyOnRequestHeaders
	if response {
		call = f.exports().ProxyOnResponseHeaders
	}
	a, err := call(id, count, end)
	return a == v2.ActionPause && err == nil, err
}

func (f *family2) body(response bool, id, size, end int32) (bool, error) {
	call := f.exports().ProxyOnRequestBody
	if response {
		call = f.exports().ProxyOnResponseBody
	}
	a, err := call(id, size, end)
	return a == v2.ActionPause && err == nil, err
}

// The end is 0 here, as in MOSN.
func (f *family2) trailers(response bool, id, count int32) (bool, error) {
	call := f.exports().ProxyOnRequestTrailers
	if response {
		call = f.exports().ProxyOnResponseTrailers
	}
	a, err := call(id, count, 0)
	return a == v2.ActionPause && err == nil, err
}

func (f *family2) httpCallResponse(root, call, headers, body, trailers int32) error {
	return f.exports().ProxyOnHttpCallResponse(root, call, headers, body, trailers)
}
