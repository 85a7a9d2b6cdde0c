//! Messages as they stand on the line.

use crate::host::stdio::protocol::{
    Action, Answer, Ask, Bytes, Call, Done, Event, Reply, Request, Reset, State, schema,
};

#[test]
fn a_request_is_one_object_with_base64() {
    let request = Request {
        id: 7,
        ask: Ask::Call(Call {
            vm: "vm 1.1".to_owned(),
            context: 2,
            state: State {
                request_headers: Some(vec![(Bytes::of(b"k"), Bytes(vec![0xff]))]),
                ..State::default()
            },
            event: Event::ProxyOnRequestBody {
                piece: Bytes::of(b"hi"),
                end_of_stream: true,
            },
        }),
    };
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(
        text,
        r#"{"id":7,"ask":{"call":{"vm":"vm 1.1","context":2,"state":{"request_headers":[["aw==","/w=="]]},"event":{"proxy_on_request_body":{"piece":"aGk=","end_of_stream":true}}}}}"#
    );
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
    let reset = Ask::Reset(Reset {});
    assert_eq!(serde_json::to_string(&reset).unwrap(), r#"{"reset":{}}"#);
}

#[test]
fn a_reply_says_one_thing_and_nothing_unknown() {
    let read = serde_json::from_str::<Reply>;
    let reply = read(r#"{"id":1,"answer":{"done":{"action":"pause"}}}"#).unwrap();
    let done = Done {
        action: Some(Action::Pause),
        ..Done::default()
    };
    assert_eq!(reply.answer, Answer::Done(done));
    for bad in [
        r#"{"id":1,"answer":{"done":{},"trapped":{"words":"x"}}}"#,
        r#"{"id":1,"answer":{"done":{}},"more":1}"#,
        r#"{"id":1,"answer":{"done":{"state":{"body":"aGk="}}}}"#,
        r#"{"id":1,"answer":{"done":{"state":{"request_body":"a"}}}}"#,
        r#"{"answer":{"done":{}}}"#,
        r#"{"id":1}"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_event_has_the_name_of_its_callback() {
    let event = Event::ProxyOnGrpcClose {
        call_id: 1,
        status_code: 0,
        message: String::new(),
    };
    let text = serde_json::to_value(&event).unwrap();
    assert!(text.get(event.name()).is_some());
    // Every callback of the schema is one that `name` gives.
    let schema = schema();
    let events = schema["$defs"]["Event"]["oneOf"].as_array().unwrap();
    assert_eq!(events.len(), 19);
    for event in events {
        let name = event["required"][0].as_str().unwrap();
        assert!(name.starts_with("proxy_on_"), "{name}");
    }
}
