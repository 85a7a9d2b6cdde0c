//! A program as it is written and run: every step is valid, and says which requirements it rests on.
//!
//! Does not know how it was found, nor what hosts do with it.

use crate::fuzz::plan::{Data, Map, Message, Place, Way};

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A member of an enum.
    Word(String),
    /// A number.
    Number(u64),
    /// A signed number.
    Signed(i64),
    /// Bytes.
    Data(Data),
    /// A map.
    Pairs(Vec<(String, Data)>),
    /// Several pieces of bytes.
    Pieces(Vec<Data>),
    /// A name that no other attempt has.
    Unique(&'static str),
    /// What the host calls the upstream of callouts.
    Upstream,
    /// What an earlier call gave.
    Saved(String),
    /// The id of the stream's context.
    Stream,
    /// The id of the plugin's context.
    Plugin,
}

/// What a call changes that is seen elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A field of a map.
    Field(Map, &'static str),
    /// All fields of a map.
    Fields(Map),
    /// The body of a message.
    Body(Way),
}

/// A hostcall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The text's name.
    pub hostcall: &'static str,
    /// Its arguments by name.
    pub with: Vec<(&'static str, Arg)>,
    /// An output to keep, and its name from then on.
    pub save: Option<(&'static str, String)>,
    /// The requirements that say what must come of it; the first one says most.
    pub rests: Vec<String>,
    /// What it changes.
    pub effect: Option<Effect>,
    /// What it writes back is the host's own business.
    pub blind: bool,
}

impl Call {
    /// A call without anything special.
    pub fn new(
        hostcall: &'static str,
        with: Vec<(&'static str, Arg)>,
        rests: impl Into<String>,
    ) -> Call {
        Call {
            hostcall,
            with,
            save: None,
            rests: vec![rests.into()],
            effect: None,
            blind: false,
        }
    }

    /// The same, resting on another requirement too.
    #[must_use]
    pub fn and(mut self, row: impl Into<String>) -> Call {
        self.rests.push(row.into());
        self
    }

    /// The same with an effect.
    #[must_use]
    pub fn doing(mut self, effect: Effect) -> Call {
        self.effect = Some(effect);
        self
    }

    /// The same, keeping an output.
    #[must_use]
    pub fn saving(mut self, out: &'static str, name: String) -> Call {
        self.save = Some((out, name));
        self
    }

    /// The same; nobody looks at what it writes back.
    #[must_use]
    pub fn blind(mut self) -> Call {
        self.blind = true;
        self
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A hostcall.
    Call(Call),
    /// Leave the callback with PAUSE.
    Pause,
    /// Let the paused message go on.
    Resume(Way),
}

/// What is done in one callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where.
    pub place: Place,
    /// In which calls: `""`, or a selector as cases write it.
    pub select: &'static str,
    /// What.
    pub steps: Vec<Step>,
}

/// A program and its exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The version of the text that it is for.
    pub abi: String,
    /// The request's method.
    pub method: &'static str,
    /// The request's path.
    pub path: &'static str,
    /// The request.
    pub request: Message,
    /// The status of the response.
    pub status: u16,
    /// The response.
    pub response: Message,
    /// The answer of a callout, where one is made.
    pub answer: Option<Message>,
    /// In place of which message the plugin answers itself.
    pub local: Option<Way>,
    /// The configuration of VM and plugin.
    pub configs: (Data, Data),
    /// What the plugin does, in order of time.
    pub blocks: Vec<Block>,
}

/// A hostcall step in a program.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'p> {
    /// Where it stands.
    pub place: Place,
    /// The call; `None`: it resumes a message.
    pub call: Option<&'p Call>,
}

impl Program {
    /// All hostcall steps in the order in which cases count them.
    pub fn calls(&self) -> Vec<Placed<'_>> {
        let all = self.blocks.iter().flat_map(|block| {
            block.steps.iter().filter_map(|step| {
                let call = match step {
                    Step::Call(call) => Some(call),
                    Step::Resume(_) => None,
                    Step::Pause => return None,
                };
                Some(Placed {
                    place: block.place,
                    call,
                })
            })
        });
        all.collect()
    }

    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.blocks.iter().map(|b| b.steps.len()).sum()
    }

    /// The message that goes this way.
    pub fn message(&self, way: Way) -> &Message {
        match way {
            Way::Request => &self.request,
            Way::Response => &self.response,
        }
    }
}
