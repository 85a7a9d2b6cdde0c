//! Tests of the judge: what they are made of, and one file per subject.

mod build;
mod callbacks;
mod column;
mod gate;
mod grpc;
mod matching;
mod proving;
mod steps;
mod survey;
mod verdict;
mod wire;
mod words;
