//! The skeletons: which files make an adapter in each language, and how it is built and started.
//!
//! Messages and loop are the files that the adapters of this repository are built with. Does not write
//! anything.

use crate::cli::args::Language;

macro_rules! file {
    ($name:literal, $from:literal) => {
        (
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/adapters/", $from)),
        )
    };
}

/// A skeleton in one language.
pub(super) struct Skeleton {
    /// The file that calls the host, and where its words stand.
    pub adapter: &'static str,
    /// The toy host.
    pub toy: &'static str,
    /// The messages and the loop.
    pub protocol: &'static str,
    /// What has to be there.
    pub needs: &'static str,
    /// The commands that build it, in its folder.
    pub build: &'static [&'static str],
    /// The command that starts it, in its folder.
    pub start: &'static str,
    /// Paths and texts of its files, but the README.
    pub files: &'static [(&'static str, &'static str)],
}

/// The README of every skeleton, with places for what the languages do not share.
pub(super) const README: &str = file!("README.md", "skeleton/README.md").1;

/// The skeleton in a language.
pub(super) fn skeleton(language: Language) -> Skeleton {
    match language {
        Language::Go => Skeleton {
            adapter: "main.go",
            toy: "toy.go",
            protocol: "protocol.go",
            needs: "Go 1.22 or later",
            build: &["CGO_ENABLED=0 go build -o adapter ."],
            start: "./adapter",
            files: &[
                file!("main.go", "skeleton/go/main.go"),
                file!("toy.go", "skeleton/go/toy.go"),
                file!("protocol.go", "go/protocol.go"),
                file!("go.mod", "skeleton/go/go.mod"),
                file!("go.sum", "skeleton/go/go.sum"),
            ],
        },
        Language::Rust => Skeleton {
            adapter: "src/main.rs",
            toy: "src/toy.rs",
            protocol: "src/protocol.rs",
            needs: "Rust 1.87 or later",
            build: &["cargo build --release --locked"],
            start: "target/release/pwspec-adapter",
            files: &[
                file!("src/main.rs", "skeleton/rust/src/main.rs"),
                file!("src/toy.rs", "skeleton/rust/src/toy.rs"),
                file!("src/protocol.rs", "rust/protocol.rs"),
                file!("Cargo.toml", "skeleton/rust/Cargo.toml"),
                file!("Cargo.lock", "skeleton/rust/Cargo.lock"),
            ],
        },
        Language::Java => Skeleton {
            adapter: "src/pwspec/Main.java",
            toy: "src/pwspec/Toy.java",
            protocol: "src/pwspec/Protocol.java",
            needs: "Java 17 or later, and Maven",
            build: &["mvn -q -B package"],
            start: "java -cp 'target/adapter.jar:target/lib/*' pwspec.Main",
            files: &[
                file!("src/pwspec/Main.java", "skeleton/java/src/pwspec/Main.java"),
                file!("src/pwspec/Toy.java", "skeleton/java/src/pwspec/Toy.java"),
                file!("src/pwspec/Protocol.java", "java/src/pwspec/Protocol.java"),
                file!("pom.xml", "skeleton/java/pom.xml"),
            ],
        },
        Language::Python => Skeleton {
            adapter: "adapter.py",
            toy: "toy.py",
            protocol: "protocol.py",
            needs: "Python 3.9 or later",
            build: &[
                "python3 -m venv venv",
                "venv/bin/pip install -q -r requirements.txt",
            ],
            start: "venv/bin/python adapter.py",
            files: &[
                file!("adapter.py", "skeleton/python/adapter.py"),
                file!("toy.py", "skeleton/python/toy.py"),
                file!("protocol.py", "skeleton/python/protocol.py"),
                file!("requirements.txt", "skeleton/python/requirements.txt"),
            ],
        },
    }
}
