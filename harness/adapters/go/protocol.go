// The adapter protocol of pwspec, version 1, for adapters in Go: messages, and the loop that reads and
// answers them. Copied beside the main.go of each such adapter.
//
// It does not know any library. specs/schema/adapter.json describes every line.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
)

const protocol = 1

// field is a field's name and value; []byte is base64 on the line.
type field [2][]byte

// hello says who is there, what it can do, and who answers what.
type hello struct {
	Protocol  int               `json:"protocol"`
	Library   library           `json:"library"`
	ABI       []string          `json:"abi"`
	Callbacks []string          `json:"callbacks"`
	Answers   map[string]string `json:"answers,omitempty"`
	Lacks     map[string]string `json:"lacks,omitempty"`
	Unlinked  []string          `json:"unlinked,omitempty"`
}

type library struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// ask holds the parameters of any operation.
type ask struct {
	VM        string     `json:"vm"`
	VMID      string     `json:"vm_id"`
	ABI       string     `json:"abi"`
	Module    []byte     `json:"module"`
	VMConfig  []byte     `json:"vm_config"`
	Plugins   []plugin   `json:"plugins"`
	Upstreams []string   `json:"upstreams"`
	Functions []function `json:"functions"`
	Plugin    uint32     `json:"plugin"`
	Kind      string     `json:"kind"`
	Context   uint32     `json:"context"`
	State     state      `json:"state"`
	Event     event      `json:"event"`
}

type plugin struct {
	Name   string `json:"name"`
	RootID string `json:"root_id"`
	Config []byte `json:"config"`
}

type function struct {
	Name  string `json:"name"`
	Gives []byte `json:"gives"`
}

// state holds the maps and buffers of a stream that have changed; nil: as it was.
type state struct {
	RequestHeaders   *[]field `json:"request_headers,omitempty"`
	RequestBody      *[]byte  `json:"request_body,omitempty"`
	RequestTrailers  *[]field `json:"request_trailers,omitempty"`
	ResponseHeaders  *[]field `json:"response_headers,omitempty"`
	ResponseBody     *[]byte  `json:"response_body,omitempty"`
	ResponseTrailers *[]field `json:"response_trailers,omitempty"`
	DownstreamData   *[]byte  `json:"downstream_data,omitempty"`
	UpstreamData     *[]byte  `json:"upstream_data,omitempty"`
	Gone             []string `json:"gone,omitempty"`
}

// event is what happened: a callback's name, and the parameters of any callback.
type event struct {
	Name        string  `json:"-"`
	EndOfStream bool    `json:"end_of_stream"`
	Piece       []byte  `json:"piece"`
	Peer        string  `json:"peer"`
	QueueID     uint32  `json:"queue_id"`
	CallID      uint32  `json:"call_id"`
	Headers     []field `json:"headers"`
	Body        []byte  `json:"body"`
	Trailers    []field `json:"trailers"`
	Metadata    []field `json:"metadata"`
	Message     any     `json:"message"`
	StatusCode  uint32  `json:"status_code"`
	FunctionID  uint32  `json:"function_id"`
	Arguments   []byte  `json:"arguments"`
}

func (e *event) UnmarshalJSON(text []byte) error {
	type flat event
	return one(text, func(name string, body []byte) error {
		e.Name = name
		return json.Unmarshal(body, (*flat)(e))
	})
}

// done is what came of an operation.
type done struct {
	Context  *uint32 `json:"context,omitempty"`
	Action   string  `json:"action,omitempty"`
	Accepted *bool   `json:"accepted,omitempty"`
	State    state   `json:"state"`
}

// answer has one key: hello, entered, done, unsupported, refused, trapped, failed.
type answer map[string]any

func did(d done) answer             { return answer{"done": d} }
func unsupported(why string) answer { return answer{"unsupported": map[string]string{"reason": why}} }
func refused(words string) answer   { return answer{"refused": map[string]string{"words": words}} }
func trapped(words string) answer   { return answer{"trapped": map[string]string{"words": plain(words)}} }
func failed(words string) answer    { return answer{"failed": map[string]string{"words": words}} }
func pointer[T any](value T) *T     { return &value }

// plain leaves out the stack of Go's own, which has addresses that differ from run to run.
func plain(words string) string {
	words, _, _ = strings.Cut(words, "\n\nGo runtime stack trace:")
	return words
}

func action(pause bool) (name string) {
	if pause {
		return "pause"
	}
	return "continue"
}

type logLine struct {
	VM    string `json:"vm"`
	Level string `json:"level"`
	Text  []byte `json:"text"`
}

type caused struct {
	VM      string         `json:"vm"`
	Context uint32         `json:"context"`
	Effect  map[string]any `json:"effect"`
}

// line answers one request.
type line struct {
	ID      uint64    `json:"id"`
	Answer  answer    `json:"answer"`
	Logs    []logLine `json:"logs,omitempty"`
	Effects []caused  `json:"effects,omitempty"`
}

// adapter does what is asked for.
type adapter interface {
	hello() hello
	load(*ask) answer
	start(*ask) answer
	open(*ask) answer
	call(*ask) answer
	finish(*ask) answer
	forget(*ask) answer
	reset() answer
}

// conversation writes the lines of one run.
type conversation struct {
	out     *bufio.Writer
	id      uint64
	in      bool
	logs    []logLine
	effects []caused
	// last: the library cannot serve another request in this process.
	last bool
}

// enter says that the library has control from now on.
func (c *conversation) enter() {
	if !c.in {
		c.in = true
		c.write(line{ID: c.id, Answer: answer{"entered": struct{}{}}})
	}
}

func (c *conversation) log(vm, level string, text []byte) {
	c.logs = append(c.logs, logLine{vm, level, append([]byte{}, text...)})
}

func (c *conversation) effect(vm string, context uint32, name string, what any) {
	c.effects = append(c.effects, caused{vm, context, map[string]any{name: what}})
}

func (c *conversation) write(l line) {
	text, err := json.Marshal(l)
	if err == nil {
		c.out.Write(append(text, '\n'))
		err = c.out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "adapter: cannot answer:", err)
		os.Exit(1)
	}
}

// serve answers every line of the standard input. The library's own output goes to standard error.
func (c *conversation) serve(a adapter) {
	// Modules are compiled all the time: collecting seldom saves a quarter of the time.
	debug.SetGCPercent(400)
	c.out = bufio.NewWriter(os.Stdout)
	os.Stdout = os.Stderr
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var request struct {
			ID  uint64          `json:"id"`
			Ask json.RawMessage `json:"ask"`
		}
		if err == nil {
			err = json.Unmarshal(text, &request)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "adapter: not a request:", err)
			os.Exit(1)
		}
		c.id, c.in = request.ID, false
		reply := c.dispatch(a, request.Ask)
		c.write(line{c.id, reply, c.logs, c.effects})
		c.logs, c.effects = nil, nil
		if c.last {
			os.Exit(0)
		}
	}
}

// dispatch does one operation. A panic after the library was entered is the library's: a trap.
func (c *conversation) dispatch(a adapter, text []byte) (reply answer) {
	defer func() {
		if p := recover(); p != nil {
			if !c.in {
				panic(p)
			}
			reply = trapped(fmt.Sprint(p))
		}
	}()
	err := one(text, func(name string, body []byte) error {
		does, known := map[string]func(*ask) answer{
			"hello": func(*ask) answer { return answer{"hello": a.hello()} },
			"load":  a.load, "start": a.start, "open": a.open, "call": a.call,
			"finish": a.finish, "forget": a.forget,
			"reset": func(*ask) answer { return a.reset() },
		}[name]
		if !known {
			reply = unsupported("unknown operation " + name)
			return nil
		}
		var what ask
		if err := json.Unmarshal(body, &what); err != nil {
			return err
		}
		reply = does(&what)
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "adapter: not a request:", err)
		os.Exit(1)
	}
	return reply
}

// one takes an object with one key apart.
func one(text []byte, take func(name string, body []byte) error) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	if len(all) != 1 {
		return errors.New("one key is due")
	}
	for name, body := range all {
		return take(name, body)
	}
	return nil
}
